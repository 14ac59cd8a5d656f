-- name: newest
-- Which questions were decided last, by tool and playbook: the newest of the tool's by the index, so that the look costs the
-- same however many there are. One more than are wanted, since whoever asks is not its own past.
-- A card that was erased is null.
SELECT asked.number, found.run_id, found.id, found.decided_at
FROM unnest(%(tool)s::text[], %(playbook)s::text[]) WITH ORDINALITY AS asked (tool, playbook, number),
LATERAL (
    SELECT review.run_id, review.id, review.decided_at
    FROM review JOIN run ON run.id = review.run_id
    WHERE review.status = 'decided' AND review.card IS NOT NULL AND review.kind = 'step'
      AND review.card::jsonb ->> 'tool' = asked.tool AND run.playbook = asked.playbook
    ORDER BY review.decided_at DESC, review.id LIMIT 51
) AS found
ORDER BY asked.number, found.decided_at DESC, found.id

-- name: decided
SELECT review.run_id, review.id, review.card, review.verdict, review.decided_by, review.decided_at
FROM unnest(%(run)s::uuid[], %(id)s::text[]) AS wanted (run_id, id)
JOIN review USING (run_id, id)
WHERE review.status = 'decided' AND review.card IS NOT NULL
