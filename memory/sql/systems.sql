-- Systems are shared by all runs and workers. Moments given as %(at)s are business time; a rate's are the database's.

-- name: all
SELECT name, failures, opened_at, why, not_before FROM system_health

-- name: number
-- The number of a system's advisory locks; made at its first call.
WITH made AS (
    INSERT INTO system_health (name) VALUES (%(name)s) ON CONFLICT (name) DO NOTHING RETURNING number
)
SELECT number FROM made UNION ALL SELECT number FROM system_health WHERE name = %(name)s LIMIT 1

-- name: failed
-- A failed probe opens the breaker anew; otherwise so many failures in a row do. Others hear of it when it opens.
WITH counted AS (
    INSERT INTO system_health AS h (name, failures, opened_at, why)
    VALUES (%(name)s, 1, CASE WHEN %(threshold)s <= 1 THEN %(at)s::timestamptz END, %(why)s)
    ON CONFLICT (name) DO UPDATE SET failures = h.failures + 1, why = excluded.why,
        opened_at = CASE WHEN %(probe)s OR (h.opened_at IS NULL AND h.failures + 1 >= %(threshold)s)
            THEN %(at)s::timestamptz ELSE h.opened_at END
    RETURNING name, failures, opened_at, why, not_before
)
SELECT *, CASE WHEN opened_at = %(at)s THEN pg_notify('steward', 'systems') END AS told FROM counted

-- name: sound
-- A call that set out before the breaker opened proves nothing when it comes back late.
WITH sound AS (
    UPDATE system_health SET failures = 0, opened_at = NULL, why = ''
    WHERE name = %(name)s AND (%(probe)s OR opened_at IS NULL)
    RETURNING name, failures, opened_at, why, not_before
)
SELECT *, CASE WHEN %(probe)s THEN pg_notify('steward', 'systems') END AS told FROM sound

-- name: slow
WITH slowed AS (
    INSERT INTO system_health AS h (name, not_before) VALUES (%(name)s, %(until)s)
    ON CONFLICT (name) DO UPDATE SET not_before = greatest(h.not_before, excluded.not_before)
    RETURNING name, failures, opened_at, why, not_before
)
SELECT *, pg_notify('steward', 'systems') AS told FROM slowed

-- name: fill
INSERT INTO system_rate (name, tokens, filled_at, promised_until)
VALUES (%(name)s, %(burst)s, clock_timestamp(), clock_timestamp()) ON CONFLICT (name) DO NOTHING

-- name: turns
-- For so many calls at once. Those whose turn comes within linger are reserved, the bucket goes below nothing for
-- them; the rest are told when to ask again, each later than the one before, so that they do not all come at once.
UPDATE system_rate AS r SET tokens = asked.filled - asked.taken, filled_at = asked.moment,
    promised_until = CASE WHEN asked.taken < %(count)s
        THEN asked.promise + make_interval(secs => (%(count)s - asked.taken) / %(rate)s::float8)
        ELSE r.promised_until END
FROM (
    SELECT taking.*, greatest(taking.promised_until,
        taking.moment + make_interval(secs => greatest(0, 1 - taking.filled + taking.taken) / %(rate)s::float8)) AS promise
    FROM (
        SELECT filling.*, least(%(count)s, greatest(0, floor(filling.filled + %(linger)s * %(rate)s::float8)))::int AS taken
        FROM (
            SELECT held.name, held.promised_until, held.moment, least(%(burst)s, held.tokens
                + %(rate)s::float8 * greatest(0, extract(epoch FROM held.moment - held.filled_at))) AS filled
            FROM (
                SELECT name, tokens, filled_at, promised_until, clock_timestamp() AS moment
                FROM system_rate WHERE name = %(name)s FOR UPDATE
            ) AS held
        ) AS filling
    ) AS taking
) AS asked
WHERE r.name = asked.name
RETURNING asked.filled, asked.taken, extract(epoch FROM asked.promise - asked.moment)::float8 AS later

-- name: take_permits
-- Session locks of class 7002: a killed worker's are free at once.
SELECT slot FROM generate_series(0, %(limit)s - 1) AS slot
WHERE slot <> ALL (%(held)s::int[]) AND pg_try_advisory_lock(7002, %(number)s * 1000 + slot)
LIMIT %(count)s

-- name: give_permits
SELECT pg_advisory_unlock(7002, %(number)s * 1000 + slot) FROM unnest(%(slots)s::int[]) AS slot

-- name: queue
-- Shared, so it never blocks: it tells those who have permits that somebody waits.
SELECT pg_advisory_lock_shared(7003, %(number)s)

-- name: leave_queue
SELECT pg_advisory_unlock_shared(7003, %(number)s)

-- name: rivals
-- Other sessions that hold or await permits, and of these the ones that wait, by system.
SELECT number, count(DISTINCT pid) AS rivals, count(DISTINCT pid) FILTER (WHERE waits) AS waiting
FROM (
    SELECT pid, classid = 7003 AS waits,
        CASE WHEN classid = 7003 THEN objid::bigint ELSE objid::bigint / 1000 END AS number
    FROM pg_locks
    WHERE locktype = 'advisory' AND classid IN (7002, 7003) AND granted AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
) AS locks
GROUP BY number

-- name: try_probe
SELECT pg_try_advisory_lock(7004, %(number)s) AS mine

-- name: end_probe
SELECT pg_advisory_unlock(7004, %(number)s)

-- name: traffic
SELECT h.name, h.failures, h.opened_at, h.why, h.not_before,
    count(l.objid) FILTER (WHERE l.classid = 7002) AS in_flight,
    coalesce(bool_or(l.classid = 7004), false) AS probing
FROM system_health h LEFT JOIN pg_locks l
    ON l.locktype = 'advisory' AND l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND ((l.classid = 7002 AND l.objid::bigint / 1000 = h.number) OR (l.classid = 7004 AND l.objid::bigint = h.number))
GROUP BY h.name
