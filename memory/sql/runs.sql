-- Ownership times (wake_at, lease_until) are the database's now(), never a worker's clock.

-- name: admit
-- Admissions that arrive together share a commit; each is one call.
SELECT asked.number, admitted.*
FROM unnest(%(run_id)b::uuid[], %(playbook)b::text[], %(title)b::text[], %(requester)b::text[], %(source)b::text[],
            %(dedupe)b::bytea[], %(at)b::timestamptz[], %(kind)b::text[], %(cause)b::text[], %(body)b::text[],
            %(salt)b::bytea[], %(body_digest)b::bytea[], %(prev_hash)b::bytea[], %(hash)b::bytea[])
    WITH ORDINALITY AS asked (run_id, playbook, title, requester, source, dedupe, at, kind, cause, body, salt,
                              body_digest, prev_hash, hash, number),
LATERAL steward_admit(
    asked.run_id, asked.playbook, asked.title, asked.requester, asked.source, asked.dedupe, asked.at, asked.kind,
    asked.cause, asked.body, asked.salt, asked.body_digest, asked.prev_hash, asked.hash) AS admitted

-- name: wake
-- Idempotent; while the run is owned the wake is kept for afterwards. An ended run stays asleep.
WITH woken AS (
    UPDATE run SET wake_at = least(coalesce(wake_at, 'infinity'), now())
    WHERE id = %(run)s AND ended_at IS NULL RETURNING id
)
SELECT pg_notify('steward', id::text) FROM woken

-- name: claim
-- The due runs of all requesters by turns, so that one with ten thousand does not hold up one with a single run. Within
-- a turn, and among one requester's own, the higher level goes first: the priority, and one more for each minute of
-- waiting, so that nothing starves; only urgent (2) is above what waiting can reach.
-- The look is bounded: of each priority the longest due, and the latest, where a requester is who has just come.
-- A run whose workers died three times in a row (deaths 3 to 12) is a suspect: taken singly, and nothing else with it. Of
-- those with fewer deaths only a few are taken together, so that ever fewer are in doubt.
WITH suspect AS (
    SELECT id FROM run
    WHERE owner IS NULL AND wake_at <= now() AND deaths >= 3 AND deaths < 13
    ORDER BY wake_at LIMIT 1 FOR UPDATE SKIP LOCKED
), looked_at AS (
    SELECT level.priority, found.*
    FROM (VALUES (2::smallint), (1::smallint), (0::smallint), (-1::smallint)) AS level (priority), LATERAL (
        (SELECT id, requester, wake_at, deaths FROM run
         WHERE owner IS NULL AND wake_at <= now() AND run.priority = level.priority AND (deaths < 3 OR deaths >= 13)
         ORDER BY wake_at LIMIT 96)
        UNION
        (SELECT id, requester, wake_at, deaths FROM run
         WHERE owner IS NULL AND wake_at <= now() AND run.priority = level.priority AND (deaths < 3 OR deaths >= 13)
         ORDER BY wake_at DESC LIMIT 32)
    ) AS found
), levelled AS (
    SELECT id, requester, wake_at, deaths, CASE WHEN priority = 2 THEN 2
        ELSE least(1, priority + floor(extract(epoch FROM now() - wake_at) / 60)) END AS level
    FROM looked_at
), by_turns AS (
    SELECT id, level, wake_at, deaths, row_number() OVER (PARTITION BY deaths ORDER BY wake_at, id) AS companion,
        row_number() OVER (PARTITION BY requester ORDER BY level DESC, wake_at, id) AS turn
    FROM levelled
), due AS (
    SELECT run.id FROM by_turns JOIN run USING (id)
    WHERE run.owner IS NULL AND run.wake_at <= now()
        AND (by_turns.deaths <> 1 OR companion <= %(once)s) AND (by_turns.deaths <> 2 OR companion <= %(twice)s)
    ORDER BY by_turns.turn, by_turns.level DESC, by_turns.wake_at, run.id
    LIMIT CASE WHEN EXISTS (SELECT FROM suspect) THEN 0 ELSE %(limit)s END
    FOR UPDATE OF run SKIP LOCKED
)
UPDATE run SET owner = %(owner)s, epoch = run.epoch + 1, wake_at = NULL, lease_until = now() + %(lease)s,
    -- After a claim that came to nothing this says why, until one comes to something.
    status = 'running', waiting_for = CASE WHEN fruitless = 0 THEN '' ELSE waiting_for END,
    claimed_at = now(), alone = false,
    claimed_seq = coalesce((SELECT max(seq) FROM journal WHERE run_id = run.id), 0),
    deaths = CASE WHEN deaths > 0 AND EXISTS (
        SELECT FROM journal j WHERE j.run_id = run.id AND j.seq > run.blamed_seq
            AND j.kind NOT IN ('step.intended', 'step.tried', 'step.reconciled', 'step.waiting')
    ) THEN 0 ELSE deaths END
FROM (SELECT id FROM suspect UNION ALL SELECT id FROM due) AS taken
WHERE run.id = taken.id
RETURNING run.id, run.epoch, run.fruitless, run.deaths, run.parent_id IS NOT NULL AS child

-- name: isolate
-- From here on nothing else runs beside it in its worker.
UPDATE run SET alone = true WHERE id = %(run)s AND owner = %(owner)s AND epoch = %(epoch)s RETURNING id

-- name: accompany
-- Others run beside it again.
UPDATE run SET alone = false WHERE owner = %(owner)s AND alone

-- name: finish
-- Any number of runs and their checkpoints in one transaction. Fenced by owner and epoch: of a run that is another's by
-- now nothing is written, also no checkpoint. A wake that came meanwhile is kept. Without progress the run comes back by
-- itself, after 1, 2, 4 … at most 60 seconds.
WITH given AS (
    SELECT * FROM unnest(%(run)b::uuid[], %(owner)b::int[], %(epoch)b::bigint[], %(status)b::text[],
                         %(waiting_for)b::text[], %(ended)b::bool[], %(again)b::bool[], %(progressed)b::bool[],
                         %(wake_in)b::interval[])
        AS g (id, owner, epoch, status, waiting_for, ended, again, progressed, wake_in)
), mine AS (
    -- In id order, as everybody locks runs; the parents of what has ended with them, who will be told (tell_parents).
    SELECT r.id FROM run r
    WHERE r.id IN (SELECT id FROM given
                   UNION SELECT c.parent_id FROM run c JOIN given g USING (id) WHERE g.ended)
    ORDER BY r.id FOR NO KEY UPDATE
), finished AS (
    UPDATE run SET status = g.status, waiting_for = g.waiting_for, owner = NULL, lease_until = NULL,
        fruitless = CASE WHEN g.progressed THEN 0 ELSE fruitless + 1 END,
        ended_at = CASE WHEN g.ended
            THEN coalesce((SELECT at FROM journal WHERE run_id = run.id ORDER BY seq DESC LIMIT 1), now()) END,
        wake_at = CASE
            WHEN g.ended THEN NULL
            WHEN NOT g.progressed THEN now() + make_interval(secs => least(60, power(2, least(fruitless, 10))))
            WHEN g.again THEN now()
            -- A timer fired by a clock that is ahead of this run's worker wakes it too early, and only once.
            ELSE least(wake_at, now() + g.wake_in) END
    FROM given g JOIN mine USING (id)
    WHERE run.id = g.id AND run.owner = g.owner AND run.epoch = g.epoch
    RETURNING run.id, run.epoch, fruitless, wake_at, g.ended
), cleared AS (
    DELETE FROM timer USING finished WHERE timer.run_id = finished.id AND finished.ended
), blobs AS (
    INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
    SELECT b.* FROM unnest(%(b_thread)b::text[], %(b_ns)b::text[], %(b_channel)b::text[], %(b_version)b::text[],
                           %(b_type)b::text[], %(b_blob)b::bytea[]) AS b (thread, ns, channel, version, type, blob)
    WHERE b.thread IN (SELECT id::text FROM finished)
    ON CONFLICT (thread_id, checkpoint_ns, channel, version) DO NOTHING
), points AS (
    INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
    SELECT c.* FROM unnest(%(c_thread)b::text[], %(c_ns)b::text[], %(c_id)b::text[], %(c_parent)b::text[],
                           %(c_checkpoint)b::jsonb[], %(c_metadata)b::jsonb[])
        AS c (thread, ns, id, parent, checkpoint, metadata)
    WHERE c.thread IN (SELECT id::text FROM finished)
    ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id)
    DO UPDATE SET checkpoint = excluded.checkpoint, metadata = excluded.metadata
), written AS (
    SELECT w.* FROM unnest(%(w_thread)b::text[], %(w_ns)b::text[], %(w_id)b::text[], %(w_task)b::text[],
                           %(w_idx)b::int[], %(w_path)b::text[], %(w_channel)b::text[], %(w_type)b::text[],
                           %(w_blob)b::bytea[], %(w_replace)b::bool[])
        AS w (thread, ns, id, task, idx, path, channel, type, blob, replaces)
    WHERE w.thread IN (SELECT id::text FROM finished)
), kept AS (
    INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel, type, blob)
    SELECT thread, ns, id, task, idx, path, channel, type, blob FROM written WHERE NOT replaces
    ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) DO NOTHING
), replaced AS (
    INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel, type, blob)
    SELECT thread, ns, id, task, idx, path, channel, type, blob FROM written WHERE replaces
    ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
    DO UPDATE SET channel = excluded.channel, type = excluded.type, blob = excluded.blob
)
SELECT id, epoch, fruitless, CASE WHEN wake_at IS NULL OR wake_at > now() THEN NULL ELSE pg_notify('steward', id::text) END,
       pg_notify('steward_seen', id::text)
FROM finished

-- name: tell_parents
-- In the transaction in which the children finish: each end goes to the parent's inbox once, and wakes it.
WITH told AS (
    INSERT INTO inbox (run_id, id, kind, body, dedupe)
    SELECT p.id, n.id, 'callback',
        (jsonb_build_object('step', c.parent_step, 'by', 'run ' || c.id) || n.note::jsonb)::text, n.key
    FROM unnest(%(child)b::uuid[], %(id)b::text[], %(note)b::text[], %(key)b::bytea[]) AS n (child, id, note, key)
    JOIN run c ON c.id = n.child JOIN run p ON p.id = c.parent_id AND p.ended_at IS NULL
    ON CONFLICT (run_id, dedupe) DO NOTHING
    RETURNING run_id
), woken AS (
    UPDATE run SET wake_at = least(coalesce(wake_at, 'infinity'), now())
    WHERE id IN (SELECT run_id FROM told) RETURNING id
)
SELECT pg_notify('steward', id::text) FROM woken

-- name: renew
-- In id order, as everybody locks runs.
UPDATE run SET lease_until = now() + %(lease)s
FROM (SELECT id FROM run WHERE owner = %(owner)s ORDER BY id FOR NO KEY UPDATE) AS mine
WHERE run.id = mine.id AND run.owner = %(owner)s

-- name: reap
-- Takes runs from workers that hold their lock no more (killed: the kernel closed the connection) or let the lease run
-- out (hung). A run that is being written to at this moment is left for the next time.
-- Who killed the worker is not known, so each of its runs is a suspect, and a suspect is next claimed alone. Only a
-- death beside nobody else counts further (docs/decisions/0007-poison.md). What a run merely said that it would do, or
-- looked up, is no progress: a tool that ends the process does that each time. A restart of the server ends all
-- sessions at once and says nothing about any run.
WITH gone AS (
    SELECT r.id FROM run r
    WHERE r.owner IS NOT NULL AND (r.lease_until < now() OR NOT EXISTS (
        SELECT 1 FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.classid = 7001 AND l.objid = r.owner::oid AND l.objsubid = 2 AND l.granted
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())))
    ORDER BY r.id FOR NO KEY UPDATE SKIP LOCKED
), progress AS (
    SELECT r.id, EXISTS (
        SELECT FROM journal j WHERE j.run_id = r.id AND j.seq > r.blamed_seq
            AND j.kind NOT IN ('step.intended', 'step.tried', 'step.reconciled', 'step.waiting')) AS made
    FROM run r JOIN gone USING (id)
), judged AS (
    SELECT r.id, progress.made, CASE
        WHEN r.claimed_at < pg_postmaster_start_time() THEN r.deaths
        WHEN progress.made THEN 1
        WHEN r.alone THEN r.deaths + 1
        ELSE greatest(r.deaths, least(r.deaths + 1, 3)) END AS deaths
    FROM run r JOIN progress USING (id)
), reaped AS (
    UPDATE run SET owner = NULL, lease_until = NULL, status = 'queued', deaths = judged.deaths,
        fruitless = CASE WHEN judged.made THEN 0 ELSE fruitless END,
        blamed_seq = CASE WHEN judged.made
            THEN coalesce((SELECT max(seq) FROM journal WHERE run_id = run.id), 0) ELSE blamed_seq END,
        wake_at = now() + make_interval(secs =>
            CASE WHEN judged.deaths BETWEEN 9 AND 12 THEN least(4, power(2, judged.deaths - 9)) ELSE 0 END)
    FROM judged WHERE run.id = judged.id
    RETURNING run.id
)
SELECT count(*) AS reaped, pg_notify('steward', '') FROM reaped HAVING count(*) > 0

-- name: children
SELECT * FROM run WHERE parent_id = %(run)s ORDER BY id

-- name: get
SELECT * FROM run WHERE id = %(run)s

-- name: between
SELECT * FROM run WHERE id BETWEEN %(low)s AND %(high)s ORDER BY id LIMIT 2

-- name: list
SELECT * FROM run WHERE %(status)s::text IS NULL OR status = %(status)s ORDER BY id DESC LIMIT %(limit)s
