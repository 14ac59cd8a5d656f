-- name: append
SELECT for_run, answer FROM steward_append(
    %(runs)s::uuid[], %(owners)s::int[], %(epochs)s::bigint[],
    %(run)s::uuid[], %(seq)s::bigint[], %(at)s::timestamptz[], %(kind)s::text[], %(cause)s::text[], %(body)s::text[],
    %(salt)s::bytea[], %(body_digest)s::bytea[], %(prev_hash)s::bytea[], %(hash)s::bytea[], %(rows)s::jsonb)

-- name: read
SELECT run_id, seq, at, kind, cause, body, salt, body_digest, prev_hash, hash
FROM journal WHERE run_id = %(run)s AND seq > %(after)s ORDER BY seq

-- name: all_entries
SELECT run_id, seq, at, kind, cause, body, salt, body_digest, prev_hash, hash
FROM journal WHERE %(run)s::uuid IS NULL OR run_id = %(run)s::uuid ORDER BY run_id, seq
