-- name: put
-- The row and the wake at once. The run is locked first, as everybody does; a row with the same key stays the only one.
WITH target AS (
    SELECT id FROM run WHERE id = %(run)s AND ended_at IS NULL FOR NO KEY UPDATE
), left_there AS (
    INSERT INTO inbox (run_id, id, kind, body, dedupe)
    SELECT id, %(id)s, %(kind)s, %(body)s, %(dedupe)s FROM target
    ON CONFLICT (run_id, dedupe) DO NOTHING
    RETURNING run_id
), woken AS (
    UPDATE run SET wake_at = least(coalesce(wake_at, 'infinity'), now()) FROM left_there WHERE run.id = left_there.run_id
    RETURNING run.id
)
SELECT pg_notify('steward', id::text) FROM woken

-- name: same
SELECT * FROM inbox WHERE run_id = %(run)s AND (id = %(id)s OR dedupe = %(dedupe)s)

-- name: left
SELECT * FROM inbox WHERE run_id = %(run)s AND dedupe = %(dedupe)s

-- name: run
SELECT 1 FROM run WHERE id = %(run)s

-- name: open
-- A row is taken up once an event with its cause is in the journal.
SELECT i.* FROM unnest(%(run)b::uuid[]) AS asked (run) JOIN inbox i ON i.run_id = asked.run
WHERE NOT EXISTS (SELECT 1 FROM journal j WHERE j.run_id = i.run_id AND j.cause = 'inbox:' || i.id)
ORDER BY i.at, i.id
