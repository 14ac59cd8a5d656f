-- name: flush
-- LangGraph's own rows, as its saver writes them: blobs and ordinary writes stay as they are once there.
WITH blobs AS (
    INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
    SELECT * FROM unnest(%(b_thread)b::text[], %(b_ns)b::text[], %(b_channel)b::text[], %(b_version)b::text[],
                         %(b_type)b::text[], %(b_blob)b::bytea[])
    ON CONFLICT (thread_id, checkpoint_ns, channel, version) DO NOTHING
), points AS (
    INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
    SELECT * FROM unnest(%(c_thread)b::text[], %(c_ns)b::text[], %(c_id)b::text[], %(c_parent)b::text[],
                         %(c_checkpoint)b::jsonb[], %(c_metadata)b::jsonb[])
    ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id)
    DO UPDATE SET checkpoint = excluded.checkpoint, metadata = excluded.metadata
), given AS (
    SELECT * FROM unnest(%(w_thread)b::text[], %(w_ns)b::text[], %(w_id)b::text[], %(w_task)b::text[],
                         %(w_idx)b::int[], %(w_path)b::text[], %(w_channel)b::text[], %(w_type)b::text[],
                         %(w_blob)b::bytea[], %(w_replace)b::bool[])
        AS w (thread, ns, id, task, idx, path, channel, type, blob, replaces)
), kept AS (
    INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel, type, blob)
    SELECT thread, ns, id, task, idx, path, channel, type, blob FROM given WHERE NOT replaces
    ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) DO NOTHING
)
INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel, type, blob)
SELECT thread, ns, id, task, idx, path, channel, type, blob FROM given WHERE replaces
ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
DO UPDATE SET channel = excluded.channel, type = excluded.type, blob = excluded.blob

-- name: lean_checkpoints
-- LangGraph has an index on the thread alone beside each primary key, which begins with the thread: all is found by that one.
DROP INDEX IF EXISTS checkpoints_thread_id_idx

-- name: lean_blobs
DROP INDEX IF EXISTS checkpoint_blobs_thread_id_idx

-- name: lean_writes
DROP INDEX IF EXISTS checkpoint_writes_thread_id_idx
