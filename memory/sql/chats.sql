-- name: open
-- Makes the thread, or touches it; of somebody else's thread there is no row.
INSERT INTO chat_thread (id, person, name) VALUES (%(thread)s, %(person)s, %(name)s)
ON CONFLICT (id) DO UPDATE SET touched_at = clock_timestamp() WHERE chat_thread.person = excluded.person
RETURNING id

-- name: say
INSERT INTO chat_remark (thread_id, id, said_by, body) VALUES (%(thread)s, %(id)s, %(said_by)s, %(body)s)
ON CONFLICT (thread_id, id) DO NOTHING

-- name: link
INSERT INTO chat_run (run_id, thread_id) SELECT id, %(thread)s FROM run WHERE id = ANY (%(runs)s) AND title <> ''
ON CONFLICT DO NOTHING

-- name: thread
SELECT * FROM chat_thread WHERE id = %(thread)s

-- name: remarks
SELECT * FROM chat_remark WHERE thread_id = %(thread)s ORDER BY at, id

-- name: list
SELECT * FROM chat_thread
WHERE person = %(person)s
  AND (%(search)s::text IS NULL OR strpos(lower(name), lower(%(search)s)) > 0)
  AND (%(after)s::uuid IS NULL OR touched_at < (SELECT touched_at FROM chat_thread WHERE id = %(after)s))
ORDER BY touched_at DESC LIMIT %(limit)s

-- name: rename
UPDATE chat_thread SET name = %(name)s WHERE id = %(thread)s AND person = %(person)s

-- name: draft
UPDATE chat_thread SET draft = %(draft)s WHERE id = %(thread)s AND person = %(person)s

-- name: remove
DELETE FROM chat_thread WHERE id = %(thread)s AND person = %(person)s

-- name: of_run
SELECT thread_id FROM chat_run WHERE run_id = %(run)s
