-- name: like
-- The tool's name finds the rows by the index; the words only put them in order. A card that was erased is null.
SELECT review.card, review.verdict, review.decided_by, review.decided_at
FROM review JOIN run ON run.id = review.run_id
WHERE review.status = 'decided' AND review.card IS NOT NULL AND review.kind = 'step'
  AND to_tsvector('simple', left(review.card, 100000)) @@ phraseto_tsquery('simple', %(tool)s)
  AND review.card::jsonb ->> 'tool' = %(tool)s
  AND run.playbook = %(playbook)s AND review.run_id <> %(besides)s
ORDER BY ts_rank(to_tsvector('simple', left(review.card, 100000)), to_tsquery('simple', %(words)s)) DESC,
    review.decided_at DESC, review.id
LIMIT %(limit)s
