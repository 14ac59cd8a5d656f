-- The whole company in one file. `records` holds what each system knows, `fields` finds it by a field's value.
CREATE TABLE IF NOT EXISTS records (
    system TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, seeded INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (system, kind, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fields (
    system TEXT NOT NULL, kind TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL,
    PRIMARY KEY (system, kind, field, value, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (prefix TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
-- One row per effect that was applied, written in the transaction that applied it.
CREATE TABLE IF NOT EXISTS effects (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, system TEXT NOT NULL, operation TEXT NOT NULL,
    subject TEXT NOT NULL, id TEXT NOT NULL, key TEXT, reference TEXT
);
CREATE TABLE IF NOT EXISTS requests (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, system TEXT NOT NULL, operation TEXT NOT NULL,
    method TEXT NOT NULL, path TEXT NOT NULL, key TEXT, outcome TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS keys (
    system TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, at REAL NOT NULL,
    status INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (system, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, system TEXT NOT NULL, ends REAL NOT NULL) WITHOUT ROWID;
-- `left_over` NULL: strikes until it is removed.
CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT, system TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    left_over INTEGER, struck INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
