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

-- name: deciding
-- The runs first: what was decided later, about a decision of the wanted time, is needed too.
WITH wanted AS MATERIALIZED (
    SELECT r.id FROM run r
    WHERE (%(playbook)s::text IS NULL OR %(playbook)s::text IN (r.playbook, split_part(r.playbook, '@', 1)))
      AND EXISTS (SELECT FROM journal d WHERE d.run_id = r.id AND d.kind = ANY (%(kinds)s::text[])
                  AND (%(since)s::timestamptz IS NULL OR d.at >= %(since)s::timestamptz)
                  AND (%(until)s::timestamptz IS NULL OR d.at < %(until)s::timestamptz))
)
SELECT j.run_id, j.seq, j.at, j.kind, j.cause, j.body, j.salt, j.body_digest, j.prev_hash, j.hash
FROM journal j JOIN wanted ON wanted.id = j.run_id
WHERE j.kind = ANY (%(kinds)s::text[]) ORDER BY j.run_id, j.seq

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
