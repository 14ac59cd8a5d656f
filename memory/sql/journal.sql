-- name: append
SELECT for_run, answer FROM steward_append(
    %(runs)b::uuid[], %(owners)b::int[], %(epochs)b::bigint[],
    %(run)b::uuid[], %(seq)b::bigint[], %(at)b::timestamptz[], %(kind)b::text[], %(cause)b::text[], %(body)b::text[],
    %(salt)b::bytea[], %(body_digest)b::bytea[], %(prev_hash)b::bytea[], %(hash)b::bytea[], %(rows)s::jsonb)

-- name: read
SELECT asked.number, run_id, seq, at, kind, cause, body, salt, body_digest, prev_hash, hash
FROM unnest(%(run)b::uuid[], %(after)b::bigint[]) WITH ORDINALITY AS asked (run, after, number)
JOIN journal ON run_id = asked.run AND seq > asked.after
ORDER BY asked.number, seq

-- name: all_entries
SELECT run_id, seq, at, kind, cause, body, salt, body_digest, prev_hash, hash
FROM journal WHERE %(run)s::uuid IS NULL OR run_id = %(run)s::uuid ORDER BY run_id, seq

-- name: loose_ends
SELECT run_id, seq, why
FROM (
    SELECT coalesce(r.id, j.run_id) AS run_id, coalesce(j.seq, 0) AS seq,
           CASE WHEN r.id IS NULL THEN 'a journal without its run'
                WHEN j.run_id IS NULL THEN 'a run without its journal'
                WHEN r.ended_at IS NOT NULL AND NOT j.ended THEN 'the run has ended, and its journal does not say so'
           END AS why
    FROM run r FULL JOIN (
        SELECT run_id, max(seq) AS seq, bool_or(kind = 'run.ended') AS ended FROM journal GROUP BY run_id
    ) j ON j.run_id = r.id
) AS told
WHERE why IS NOT NULL AND (%(run)s::uuid IS NULL OR run_id = %(run)s::uuid)
ORDER BY run_id
