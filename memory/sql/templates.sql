-- Plans that are kept. Whoever drops one tells all workers, which look after their copies.

-- name: of_keys
-- What a rule dropped may be kept again: a planner that was asked anew and has no other plan need not be asked each time.
SELECT key, id, body, dropped_at IS NULL AS kept, dropped_by NOT IN ('', 'rule:failing-template') AS refused FROM plan_template WHERE key = ANY(%(keys)s)

-- name: still_kept
SELECT id FROM plan_template WHERE id = ANY(%(ids)s) AND dropped_at IS NULL

-- name: keep_again
UPDATE plan_template t SET dropped_at = NULL, dropped_by = '', dropped_why = '', kept_at = k.kept_at, hits_then = t.hits
FROM unnest(%(ids)s::text[], %(moments)s::timestamptz[]) AS k (id, kept_at)
WHERE t.id = k.id AND t.dropped_by = 'rule:failing-template'
    AND NOT EXISTS (SELECT FROM plan_template o WHERE o.key = t.key AND o.dropped_at IS NULL)

-- name: keep
-- Of two workers with a plan for the same key one is first; a plan that a person dropped is not taken up again.
INSERT INTO plan_template (id, key, playbook, body, kept_at)
SELECT * FROM unnest(%(ids)s::text[], %(keys)s::text[], %(playbooks)s::text[], %(bodies)s::text[], %(moments)s::timestamptz[])
ON CONFLICT DO NOTHING

-- name: used
UPDATE plan_template t SET hits = t.hits + u.hits
FROM unnest(%(ids)s::text[], %(hits)s::bigint[]) AS u (id, hits) WHERE t.id = u.id

-- name: missed
INSERT INTO plan_template_miss AS m (playbook, why, count)
SELECT * FROM unnest(%(playbooks)s::text[], %(whys)s::text[], %(counts)s::bigint[])
ON CONFLICT (playbook, why) DO UPDATE SET count = m.count + excluded.count

-- name: failed
-- A template that another process dropped, or that was never written, has no failures to count.
INSERT INTO plan_template_failure (run_id, template_id, step, tool, at)
SELECT f.run_id, f.template_id, f.step, f.tool, f.at
FROM unnest(%(runs)s::uuid[], %(ids)s::text[], %(steps)s::text[], %(tools)s::text[], %(moments)s::timestamptz[])
    AS f (run_id, template_id, step, tool, at)
WHERE EXISTS (SELECT FROM plan_template t WHERE t.id = f.template_id)
ON CONFLICT DO NOTHING

-- name: drop_failing
-- So many runs failed by it, and at least one in four of those that used it. The last failure gives the reason.
WITH counted AS (
    SELECT template_id, count(*) AS failures, max(f.at) AS last_at, (array_agg(f.step ORDER BY f.at DESC))[1] AS step,
        (array_agg(f.tool ORDER BY f.at DESC))[1] AS tool
    FROM plan_template_failure f JOIN plan_template t ON t.id = f.template_id AND f.at >= t.kept_at
    WHERE t.id = ANY(%(ids)s) GROUP BY template_id
), dropped AS (
    UPDATE plan_template t SET dropped_at = c.last_at, dropped_by = 'rule:failing-template',
        dropped_why = format('%%s of %%s runs failed by it, the last at %%s (%%s)', c.failures, t.hits - t.hits_then, c.step, c.tool)
    FROM counted c
    WHERE t.id = c.template_id AND t.dropped_at IS NULL AND c.failures >= %(failures)s AND c.failures * 4 >= t.hits - t.hits_then
    RETURNING t.id, t.dropped_why
)
SELECT id, dropped_why, pg_notify('steward', 'templates') FROM dropped

-- name: drop
WITH dropped AS (
    UPDATE plan_template SET dropped_at = %(at)s, dropped_by = %(by)s, dropped_why = %(why)s
    WHERE id = %(id)s AND dropped_at IS NULL RETURNING id
)
SELECT id, pg_notify('steward', 'templates') FROM dropped

-- name: list
-- The most used first; those that were dropped last.
SELECT t.*, (SELECT count(*) FROM plan_template_failure f WHERE f.template_id = t.id) AS failures
FROM plan_template t ORDER BY dropped_at IS NOT NULL, hits DESC, kept_at DESC LIMIT %(limit)s

-- name: beginning_with
SELECT t.*, (SELECT count(*) FROM plan_template_failure f WHERE f.template_id = t.id) AS failures
FROM plan_template t WHERE starts_with(id, %(text)s) ORDER BY id LIMIT 2

-- name: misses
SELECT playbook, why, count FROM plan_template_miss ORDER BY playbook, count DESC, why
