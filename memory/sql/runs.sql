-- Ownership times (wake_at, lease_until) are the database's now(), never a worker's clock.

-- name: admit
SELECT * FROM steward_admit(
    %(run_id)s, %(playbook)s, %(title)s, %(requester)s, %(source)s, %(dedupe)s, %(at)s, %(kind)s, %(cause)s, %(body)s,
    %(salt)s, %(body_digest)s, %(prev_hash)s, %(hash)s)

-- name: wake
-- Idempotent; while the run is owned the wake is kept for afterwards. An ended run stays asleep.
WITH woken AS (
    UPDATE run SET wake_at = least(coalesce(wake_at, 'infinity'), now())
    WHERE id = %(run)s AND ended_at IS NULL RETURNING id
)
SELECT pg_notify('steward', id::text) FROM woken

-- name: claim
UPDATE run SET owner = %(owner)s, epoch = run.epoch + 1, wake_at = NULL, lease_until = now() + %(lease)s,
    -- After a claim that came to nothing this says why, until one comes to something.
    status = 'running', waiting_for = CASE WHEN fruitless = 0 THEN '' ELSE waiting_for END,
    claimed_seq = coalesce((SELECT max(seq) FROM journal WHERE run_id = run.id), 0)
FROM (SELECT id FROM run WHERE owner IS NULL AND wake_at <= now() ORDER BY wake_at LIMIT %(limit)s
      FOR UPDATE SKIP LOCKED) AS due
WHERE run.id = due.id
RETURNING run.id, run.epoch

-- name: finish
-- Fenced by owner and epoch. A wake that came meanwhile is kept. Without progress the run comes back by itself, after
-- 1, 2, 4 … at most 60 seconds.
WITH finished AS (
    UPDATE run SET status = %(status)s, waiting_for = %(waiting_for)s, owner = NULL, lease_until = NULL,
        fruitless = CASE WHEN %(progressed)s THEN 0 ELSE fruitless + 1 END,
        ended_at = CASE WHEN %(ended)s
            THEN coalesce((SELECT at FROM journal WHERE run_id = run.id ORDER BY seq DESC LIMIT 1), now()) END,
        wake_at = CASE
            WHEN %(ended)s THEN NULL
            WHEN NOT %(progressed)s THEN now() + make_interval(secs => least(60, power(2, least(fruitless, 10))))
            WHEN %(again)s THEN now()
            -- A timer fired by a clock that is ahead of this run's worker wakes it too early, and only once.
            ELSE least(wake_at, now() + %(wake_in)s::interval) END
    WHERE id = %(run)s AND owner = %(owner)s AND epoch = %(epoch)s
    RETURNING id, fruitless, wake_at
), cleared AS (
    DELETE FROM timer USING finished WHERE timer.run_id = finished.id AND %(ended)s
)
SELECT fruitless, pg_notify('steward', id::text) FROM finished

-- name: renew
-- In id order, as everybody locks runs.
UPDATE run SET lease_until = now() + %(lease)s
FROM (SELECT id FROM run WHERE owner = %(owner)s ORDER BY id FOR NO KEY UPDATE) AS mine
WHERE run.id = mine.id AND run.owner = %(owner)s

-- name: reap
-- Takes runs from workers that hold their lock no more (killed: the kernel closed the connection) or let the lease run
-- out (hung). A run whose journal did not grow since its claim has had a fruitless one; only the first such comes back
-- at once. A run that is being written to at this moment is left for the next time.
WITH gone AS (
    SELECT r.id FROM run r
    WHERE r.owner IS NOT NULL AND (r.lease_until < now() OR NOT EXISTS (
        SELECT 1 FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.classid = 7001 AND l.objid = r.owner::oid AND l.objsubid = 2 AND l.granted
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())))
    ORDER BY r.id FOR NO KEY UPDATE SKIP LOCKED
), judged AS (
    SELECT r.id, EXISTS (SELECT 1 FROM journal j WHERE j.run_id = r.id AND j.seq > r.claimed_seq) AS progressed
    FROM run r JOIN gone USING (id)
), reaped AS (
    UPDATE run SET owner = NULL, lease_until = NULL, status = 'queued',
        fruitless = CASE WHEN judged.progressed THEN 0 ELSE fruitless + 1 END,
        wake_at = now() + make_interval(secs =>
            CASE WHEN judged.progressed OR fruitless = 0 THEN 0 ELSE least(60, power(2, least(fruitless, 10))) END)
    FROM judged WHERE run.id = judged.id
    RETURNING run.id
)
SELECT count(*) AS reaped, pg_notify('steward', '') FROM reaped HAVING count(*) > 0

-- name: get
SELECT * FROM run WHERE id = %(run)s

-- name: between
SELECT * FROM run WHERE id BETWEEN %(low)s AND %(high)s ORDER BY id LIMIT 2

-- name: list
SELECT * FROM run WHERE %(status)s::text IS NULL OR status = %(status)s ORDER BY id DESC LIMIT %(limit)s
