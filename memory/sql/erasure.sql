-- name: lock
-- What steward_erase demands itself; asked first, for a sentence that people understand.
SELECT ended_at IS NOT NULL AND EXISTS (SELECT 1 FROM journal j WHERE j.run_id = r.id AND j.kind = 'run.ended') AS ended
FROM run r WHERE id = %(run)s FOR UPDATE

-- name: rows
SELECT steward_erase(%(run)s) AS blanked

-- name: timers
DELETE FROM timer WHERE run_id = %(run)s

-- name: chats
-- Whole threads: what people wrote around a run may name anybody. Their remarks and links go with them.
DELETE FROM chat_thread WHERE id IN (SELECT thread_id FROM chat_run WHERE run_id = %(run)s)

-- name: forks
-- A fork's thread begins with the run's id and holds a copy of its journal.
SELECT DISTINCT thread_id FROM checkpoints WHERE thread_id LIKE %(prefix)s
