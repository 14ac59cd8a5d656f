-- name: behind
-- Runs whose journals say more than was scored, the oldest first: never looked at, or unsettled and grown.
SELECT run.id FROM run LEFT JOIN decision_scored d ON d.run_id = run.id
WHERE run.id > %(after)s AND (
    d.run_id IS NULL
    OR (NOT d.settled AND EXISTS (SELECT 1 FROM journal j WHERE j.run_id = run.id AND j.seq > d.seq))
)
ORDER BY run.id LIMIT %(limit)s

-- name: keep
-- A run's scores, and how far it was read, in one statement. Whoever read further wins.
WITH read_up_to AS (
    INSERT INTO decision_scored (run_id, seq, settled) VALUES (%(run)s, %(upto)s, %(settled)s)
    ON CONFLICT (run_id) DO UPDATE SET seq = excluded.seq, settled = excluded.settled
    WHERE decision_scored.seq <= excluded.seq
    RETURNING run_id
)
INSERT INTO decision_score (run_id, seq, at, kind, playbook, tool, decider, choice, rule, confidence, outcome, magnitude)
SELECT r.run_id, s.* FROM read_up_to r, unnest(
    %(seq)b::bigint[], %(at)b::timestamptz[], %(kind)b::text[], %(playbook)b::text[], %(tool)b::text[],
    %(decider)b::text[], %(choice)b::text[], %(rule)b::text[], %(confidence)b::float8[], %(outcome)b::text[],
    %(magnitude)b::float8[]) AS s
ON CONFLICT (run_id, seq) DO UPDATE SET outcome = excluded.outcome

-- name: scores
-- The latest of each kind, oldest first.
SELECT * FROM (
    SELECT s.*, row_number() OVER (PARTITION BY kind ORDER BY at DESC, run_id DESC, seq DESC) AS latest
    FROM decision_score s WHERE %(kinds)s::text[] IS NULL OR kind = ANY (%(kinds)s::text[])
) AS ranked
WHERE latest <= %(limit)s ORDER BY at, run_id, seq

-- name: rules
SELECT * FROM autonomy_rule WHERE %(status)s::text IS NULL OR status = %(status)s ORDER BY id

-- name: propose
INSERT INTO autonomy_rule (id, proposal, status) VALUES (%(id)s, %(proposal)s, 'proposed') ON CONFLICT (id) DO NOTHING

-- name: ratify
UPDATE autonomy_rule SET status = 'ratified', decided_by = %(by)s, decided_at = %(at)s, until = %(until)s, why = %(why)s
WHERE id = %(id)s AND status = 'proposed' RETURNING *

-- name: reject
UPDATE autonomy_rule SET status = 'rejected', decided_by = %(by)s, decided_at = %(at)s, ended_at = %(at)s, why = %(why)s
WHERE id = %(id)s AND status = 'proposed' RETURNING *

-- name: suspend
UPDATE autonomy_rule SET status = 'suspended', ended_at = %(at)s, why = %(why)s
WHERE id = %(id)s AND status = 'ratified' RETURNING *

-- name: expire
UPDATE autonomy_rule SET status = 'expired', ended_at = until WHERE status = 'ratified' AND until <= %(now)s

-- name: holds
SELECT 1 FROM autonomy_rule WHERE id = %(id)s AND status = 'ratified' AND until > %(now)s

-- name: theirs
-- For each person, how many of the answers and the requests of these runs are theirs.
SELECT who, count(*) AS times FROM (
    SELECT decided_by AS who FROM review WHERE run_id = ANY (%(runs)s) AND kind = 'step' AND decided_by IS NOT NULL
    UNION ALL
    SELECT requester FROM run WHERE id = ANY (%(runs)s) AND requester <> ''
) AS found GROUP BY who
