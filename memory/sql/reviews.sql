-- name: decide
-- Compare and set, the verdict into the run's inbox, and the wake, in one statement. The run is locked first, as
-- everybody does; of many deciders the first gets the row, the others nothing.
WITH target AS (
    SELECT id FROM run
    WHERE id = (SELECT run_id FROM review WHERE id = %(id)s) AND ended_at IS NULL FOR NO KEY UPDATE
), decided AS (
    UPDATE review SET status = 'decided', verdict = %(verdict)s, decided_by = %(by)s, decided_at = %(at)s
    FROM target WHERE review.run_id = target.id AND review.id = %(id)s AND review.status = 'open'
    RETURNING review.*
), left_there AS (
    INSERT INTO inbox (run_id, id, kind, body) SELECT run_id, %(inbox_id)s, 'verdict', %(body)s FROM decided
), woken AS (
    UPDATE run SET wake_at = least(coalesce(wake_at, 'infinity'), now()) FROM decided WHERE run.id = decided.run_id
)
SELECT decided.*, pg_notify('steward', run_id::text) FROM decided

-- name: get
SELECT review.*, run.ended_at FROM review JOIN run ON run.id = review.run_id WHERE review.id = %(id)s

-- name: named
SELECT * FROM review WHERE id = ANY (%(ids)s)

-- name: beginning_with
SELECT * FROM review WHERE starts_with(id, %(text)s) ORDER BY id LIMIT 2

-- name: list
SELECT * FROM review
WHERE (%(run)s::uuid IS NULL OR run_id = %(run)s)
  AND (NOT %(open_only)s OR status = 'open')
  AND (%(approver)s::text IS NULL OR %(approver)s = ANY (approvers))
ORDER BY asked_at, id LIMIT %(limit)s
