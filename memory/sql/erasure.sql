-- name: lock
SELECT ended_at IS NOT NULL AS ended FROM run WHERE id = %(run)s FOR UPDATE

-- name: journal
SELECT steward_erase(%(run)s) AS blanked

-- name: run
UPDATE run SET title = '', requester = '', waiting_for = '' WHERE id = %(run)s

-- name: reviews
-- The verdict's choice stays; its reason, arguments and answer go.
UPDATE review SET card = NULL, approvers = '{}', closed_why = '',
    verdict = CASE WHEN verdict IS NOT NULL THEN jsonb_build_object('choice', verdict::jsonb -> 'choice')::text END
WHERE run_id = %(run)s

-- name: inbox
UPDATE inbox SET body = '{}' WHERE run_id = %(run)s

-- name: timers
DELETE FROM timer WHERE run_id = %(run)s

-- name: chats
-- Whole threads: what people wrote around a run may name anybody. Their remarks and links go with them.
DELETE FROM chat_thread WHERE id IN (SELECT thread_id FROM chat_run WHERE run_id = %(run)s)

-- name: forks
-- A fork's thread begins with the run's id and holds a copy of its journal.
SELECT DISTINCT thread_id FROM checkpoints WHERE thread_id LIKE %(prefix)s
