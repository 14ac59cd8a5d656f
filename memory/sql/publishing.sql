-- Outside events and the steps that wait for them. Applied by every migration run, after functions.sql.
-- No event is lost between a step that begins to wait and an event that comes at the same moment: of each type one
-- transaction publishes at a time, and no step begins to wait meanwhile, so whichever comes first is seen by the other.
-- That lock is taken before any run's, by everybody.

-- The lock of the types that these rows begin to wait for, shared with each other, in one order.
CREATE OR REPLACE FUNCTION steward_hold_types(p_rows jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7005, held.type)
    FROM (SELECT DISTINCT hashtext(x.wanted ->> 'type') AS type
          FROM jsonb_to_recordset(p_rows) AS x (what text, wanted jsonb)
          WHERE x.what = 'subscribe' ORDER BY 1) AS held;
END $$;

-- What is left for a run: the event, and what was waited for, so that the wait can go on if the event turns out not to fit.
CREATE OR REPLACE FUNCTION steward_event_note(p_seq bigint, p_body text, p_wait subscription) RETURNS text
LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT jsonb_build_object(
        'by', p_body::jsonb ->> 'source', 'seq', p_seq, 'event', p_body::jsonb, 'step', p_wait.step,
        'wanted', p_wait.wanted, 'since', p_wait.since, 'until', p_wait.until)::text
$$;

-- An event, once: kept, left for every step that waits for it, and its run woken, at once. A step that got one waits for
-- no other. Answers whether it was new, and for how many steps it was left; a repeat answers as the first did.
CREATE OR REPLACE FUNCTION steward_publish(p_key bytea, p_at timestamptz, p_fields jsonb, p_body text)
RETURNS TABLE (first boolean, woken bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    number bigint;
    waits subscription[];
    runs uuid[];
    hint text;
BEGIN
    PERFORM pg_advisory_xact_lock(7005, hashtext(p_fields ->> 'type'));
    INSERT INTO outside_event (key, at, fields, body) VALUES (p_key, p_at, p_fields, p_body)
    ON CONFLICT (key) DO NOTHING RETURNING seq INTO number;
    IF number IS NULL THEN
        RETURN QUERY SELECT false, e.woken FROM outside_event e WHERE e.key = p_key;
        RETURN;
    END IF;

    -- Steps wait for the same few sets of fields; with each the event is looked up among those that wait.
    WITH RECURSIVE named AS (
        (SELECT s.paths FROM subscription s WHERE s.type = p_fields ->> 'type' ORDER BY s.paths LIMIT 1)
        UNION ALL
        SELECT (SELECT s.paths FROM subscription s
                WHERE s.type = p_fields ->> 'type' AND s.paths > n.paths ORDER BY s.paths LIMIT 1)
        FROM named n WHERE n.paths IS NOT NULL
    ), shown AS (
        SELECT DISTINCT (SELECT jsonb_object_agg(f.key, f.value) FROM jsonb_each(p_fields) f WHERE f.key = ANY (n.paths)) AS fields
        FROM named n WHERE n.paths IS NOT NULL
    )
    SELECT coalesce(array_agg(s), '{}') INTO waits
    FROM shown JOIN subscription s ON s.wanted = shown.fields JOIN run r ON r.id = s.run_id
    WHERE p_at <= s.until AND r.ended_at IS NULL;

    -- The runs first, in id order, as everybody does; what ended while they were waited for gets nothing.
    PERFORM 1 FROM run r WHERE r.id IN (SELECT w.run_id FROM unnest(waits) w) ORDER BY r.id FOR NO KEY UPDATE;
    WITH taken AS (
        DELETE FROM subscription s USING unnest(waits) w, run r
        WHERE s.run_id = w.run_id AND s.step = w.step AND r.id = s.run_id AND r.ended_at IS NULL
        RETURNING s AS wait
    ), left_there AS (
        INSERT INTO inbox (run_id, id, kind, body)
        SELECT (t.wait).run_id, gen_random_uuid()::text, 'event', steward_event_note(number, p_body, t.wait) FROM taken t
        RETURNING run_id
    ), noted AS (
        INSERT INTO event_taken (run_id, event_key) SELECT DISTINCT l.run_id, p_key FROM left_there l
    ), roused AS (
        UPDATE run SET wake_at = least(coalesce(wake_at, 'infinity'), now())
        WHERE id IN (SELECT l.run_id FROM left_there l) RETURNING id
    )
    SELECT (SELECT count(*) FROM left_there), (SELECT array_agg(r.id) FROM roused r) INTO woken, runs;
    IF woken > 0 THEN
        UPDATE outside_event e SET woken = steward_publish.woken WHERE e.key = p_key;
        hint := array_to_string(runs, ',');
        PERFORM pg_notify('steward', CASE WHEN length(hint) < 7900 THEN hint ELSE '' END);
    END IF;
    first := true;
    RETURN NEXT;
END $$;

-- A step begins to wait: for an event that came before and fits, and is kept still, or for the next. One that came before
-- is left for the run at once; a timer wakes it, since whoever writes this works on it now.
CREATE OR REPLACE FUNCTION steward_subscribe(p_wait subscription, p_after bigint) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    came outside_event;
BEGIN
    SELECT e.* INTO came FROM outside_event e
    WHERE e.fields @> p_wait.wanted AND e.at BETWEEN p_wait.since AND p_wait.until AND e.seq > p_after
    ORDER BY e.seq LIMIT 1;
    IF came.key IS NULL THEN
        INSERT INTO subscription SELECT p_wait.*
        ON CONFLICT (run_id, step) DO UPDATE
        SET type = excluded.type, wanted = excluded.wanted, paths = excluded.paths, since = excluded.since,
            until = excluded.until;
        RETURN;
    END IF;
    DELETE FROM subscription s WHERE s.run_id = p_wait.run_id AND s.step = p_wait.step;
    INSERT INTO inbox (run_id, id, kind, body)
    VALUES (p_wait.run_id, gen_random_uuid()::text, 'event', steward_event_note(came.seq, came.body, p_wait));
    INSERT INTO event_taken (run_id, event_key) VALUES (p_wait.run_id, came.key) ON CONFLICT DO NOTHING;
    INSERT INTO timer (run_id, timer_id, due_at) VALUES (p_wait.run_id, 'event:' || p_wait.step, came.at)
    ON CONFLICT (run_id, timer_id) DO UPDATE SET due_at = excluded.due_at;
    PERFORM pg_notify('steward', p_wait.run_id::text);
END $$;
