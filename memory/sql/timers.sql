-- name: fire_due
-- Due timers go, their runs are woken, at once. Runs are locked first, as everybody does; a run that somebody else
-- works on at this moment is left for the next time. A timer that was set anew meanwhile stays.
WITH target AS (
    SELECT id FROM run
    WHERE id IN (SELECT run_id FROM timer WHERE due_at <= %(now)s ORDER BY due_at LIMIT 1000)
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
), fired AS (
    DELETE FROM timer USING target WHERE timer.run_id = target.id AND timer.due_at <= %(now)s RETURNING timer.run_id
), woken AS (
    UPDATE run SET wake_at = least(coalesce(wake_at, 'infinity'), now())
    WHERE id IN (SELECT run_id FROM fired) AND ended_at IS NULL
)
SELECT count(*) AS fired, pg_notify('steward', '') FROM fired HAVING count(*) > 0

-- name: next_due
SELECT min(due_at) AS due_at FROM timer
