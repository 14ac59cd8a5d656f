-- name: decide
-- Any number of answers at once: compare and set, the verdict into the run's inbox, and the wake, in one statement. Runs
-- are locked first and in the order of their ids, as everybody does; of many deciders the first gets the row, the others
-- nothing.
WITH answer AS (
    SELECT DISTINCT ON (given.id) given.*
    FROM unnest(%(id)b::text[], %(verdict)b::text[], %(by)b::text[], %(at)b::timestamptz[], %(inbox_id)b::text[],
                %(body)b::text[])
        WITH ORDINALITY AS given (id, verdict, by, at, inbox_id, body, number)
    ORDER BY given.id, given.number
), target AS (
    SELECT id FROM run
    WHERE id IN (SELECT review.run_id FROM review JOIN answer ON review.id = answer.id) AND ended_at IS NULL
    ORDER BY id FOR NO KEY UPDATE
), decided AS (
    UPDATE review SET status = 'decided', verdict = answer.verdict, decided_by = answer.by, decided_at = answer.at
    FROM answer, target
    WHERE review.id = answer.id AND review.run_id = target.id AND review.status = 'open'
    RETURNING review.*, answer.inbox_id, answer.body, answer.number
), left_there AS (
    INSERT INTO inbox (run_id, id, kind, body) SELECT run_id, inbox_id, 'verdict', body FROM decided
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
