-- name: like
-- The newest of the tool's by the index, so that the look costs the same however many there are; the words put these in
-- order. A card that was erased is null.
WITH newest AS (
    SELECT review.id, review.card, review.verdict, review.decided_by, review.decided_at
    FROM review JOIN run ON run.id = review.run_id
    WHERE review.status = 'decided' AND review.card IS NOT NULL AND review.kind = 'step'
      AND review.card::jsonb ->> 'tool' = %(tool)s
      AND run.playbook = %(playbook)s AND review.run_id <> %(besides)s
    ORDER BY review.decided_at DESC LIMIT 50
)
SELECT card, verdict, decided_by, decided_at FROM newest
ORDER BY ts_rank(to_tsvector('simple', card::jsonb ->> 'args'), to_tsquery('simple', %(words)s)) DESC, decided_at DESC, id
LIMIT %(limit)s
