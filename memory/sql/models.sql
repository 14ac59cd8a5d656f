-- Calls of models. Moments are business time. A call that has not ended counts with all that it may cost.

-- name: lock
SELECT pg_advisory_xact_lock(hashtext('steward model spend'))

-- name: spent
SELECT coalesce(sum(cost_microusd), 0)::bigint AS day,
    coalesce(sum(cost_microusd) FILTER (WHERE run_id = %(run)s AND run_id <> ''), 0)::bigint AS run
FROM model_call
WHERE at >= %(day)s OR (run_id = %(run)s AND run_id <> '')

-- name: begin
INSERT INTO model_call (run_id, id, kind, model, prompt, at, cost_microusd)
VALUES (%(run)s, %(id)s, %(kind)s, %(model)s, %(prompt)s, %(at)s, %(most)s)

-- name: end
UPDATE model_call SET ok = %(ok)s, why = %(why)s, tokens_in = %(tokens_in)s, tokens_out = %(tokens_out)s,
    cost_microusd = %(cost)s, latency_ms = %(latency)s
WHERE run_id = %(run)s AND id = %(id)s

-- name: day
SELECT model, count(*)::int AS calls, count(*) FILTER (WHERE NOT ok)::int AS failed,
    sum(tokens_in)::bigint AS tokens_in, sum(tokens_out)::bigint AS tokens_out, sum(cost_microusd)::bigint AS cost,
    coalesce(avg(latency_ms) FILTER (WHERE ok IS NOT NULL), 0)::int AS latency,
    coalesce((array_agg(why ORDER BY at DESC) FILTER (WHERE NOT ok))[1], '') AS last_failure
FROM model_call WHERE at >= %(day)s GROUP BY model ORDER BY model
