-- The only ways to write a journal, and the guard that keeps it so. Applied by every migration run, after the tables.
-- All are owned by the owner (SECURITY DEFINER): the application's role may call them and has no other right to write.

-- Refuses every change of the journal, also the owner's, but one: steward_erase blanking body and salt.
CREATE OR REPLACE FUNCTION steward_guard_journal() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_LEVEL = 'ROW' AND current_setting('steward.erasing', true) = 'yes' THEN
        IF NEW.body IS NULL AND NEW.salt IS NULL
           AND ROW(NEW.run_id, NEW.seq, NEW.at, NEW.kind, NEW.cause, NEW.body_digest, NEW.prev_hash, NEW.hash)
             = ROW(OLD.run_id, OLD.seq, OLD.at, OLD.kind, OLD.cause, OLD.body_digest, OLD.prev_hash, OLD.hash) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the journal is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE TRIGGER journal_rows_stay BEFORE UPDATE OR DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION steward_guard_journal();
CREATE OR REPLACE TRIGGER journal_stays BEFORE TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION steward_guard_journal();
-- ALWAYS: also under session_replication_role = replica.
ALTER TABLE journal ENABLE ALWAYS TRIGGER journal_rows_stay;
ALTER TABLE journal ENABLE ALWAYS TRIGGER journal_stays;

-- A run's row, due now, and the first entry of its journal, at once. A second admission with the same dedupe key
-- writes nothing. Returns the run that stands.
CREATE OR REPLACE FUNCTION steward_admit(
    p_run uuid, p_playbook text, p_title text, p_requester text, p_source text, p_dedupe bytea,
    p_at timestamptz, p_kind text, p_cause text, p_body text, p_salt bytea,
    p_body_digest bytea, p_prev_hash bytea, p_hash bytea
) RETURNS SETOF run
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- Whose child it is, is for its first entry to say.
    INSERT INTO run (id, playbook, title, requester, source, status, admitted_at, wake_at, dedupe, priority,
                     parent_id, parent_step)
    VALUES (p_run, p_playbook, p_title, p_requester, p_source, 'queued', p_at, now(), p_dedupe,
            coalesce((p_body::jsonb ->> 'priority')::smallint, 0),
            nullif(p_body::jsonb ->> 'parent', '')::uuid, nullif(p_body::jsonb ->> 'parent_step', ''))
    ON CONFLICT (dedupe) DO NOTHING;
    IF FOUND THEN
        INSERT INTO journal (run_id, seq, at, kind, cause, body, salt, body_digest, prev_hash, hash)
        VALUES (p_run, 1, p_at, p_kind, p_cause, p_body, p_salt, p_body_digest, p_prev_hash, p_hash);
        PERFORM pg_notify('steward', p_run::text);
        RETURN QUERY SELECT * FROM run WHERE id = p_run;
    ELSE
        RETURN QUERY SELECT * FROM run WHERE dedupe = p_dedupe;
    END IF;
END $$;

-- Appends for any number of runs: one call, one commit. p_runs, p_owners, p_epochs are the claims, one per run; the
-- arrays p_run … p_hash are the entries, in order of seq within a run; p_rows holds the rows that belong to them, as
-- JSON. A run's entries and rows are written all or none, and one run's refusal does not touch another's.
-- Answers per run: ok; fenced (owner or epoch differ); moved (they do not continue the tail, a cause is known, or they
-- rely on an earned rule that does not hold any more).
CREATE OR REPLACE FUNCTION steward_append(
    p_runs uuid[], p_owners int[], p_epochs bigint[],
    p_run uuid[], p_seq bigint[], p_at timestamptz[], p_kind text[], p_cause text[], p_body text[], p_salt bytea[],
    p_body_digest bytea[], p_prev_hash bytea[], p_hash bytea[], p_rows jsonb
) RETURNS TABLE (for_run uuid, answer text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    accepted uuid[];
    unfit uuid[] := '{}';
    hint text;
BEGIN
    -- Before any run is locked, as everybody does (publishing.sql).
    IF p_rows @? '$[*] ? (@.what == "subscribe")' THEN
        PERFORM steward_hold_types(p_rows);
    END IF;
    -- In id order, as everybody locks runs: no deadlocks. Whoever wants to take a run away waits for this commit.
    PERFORM 1 FROM run r WHERE r.id = ANY (p_runs) ORDER BY r.id FOR SHARE;
    -- Earned rules that are relied on or suspended here. A suspension waits for this commit or this one for it, so no
    -- yes is given by a rule after its suspension.
    IF p_rows @? '$[*] ? (@.what == "rely" || @.what == "suspend")' THEN
        unfit := steward_unreliable(p_rows);
    END IF;

    -- A statement of its own: it sees what was committed while the locks were awaited.
    WITH held AS MATERIALIZED (
        SELECT r.id AS run_id, tail.seq, tail.hash
        FROM unnest(p_runs, p_owners, p_epochs) AS c (run_id, owner, epoch)
        JOIN run r ON r.id = c.run_id AND r.owner = c.owner AND r.epoch = c.epoch
        LEFT JOIN LATERAL (
            SELECT j.seq, j.hash FROM journal j WHERE j.run_id = r.id ORDER BY j.seq DESC LIMIT 1
        ) tail ON true
    ), entry AS MATERIALIZED (
        SELECT e.*,
               lag(e.seq) OVER chain AS seq_before, lag(e.hash) OVER chain AS hash_before,
               row_number() OVER (PARTITION BY e.run_id, e.cause) AS told
        FROM unnest(p_run, p_seq, p_at, p_kind, p_cause, p_body, p_salt, p_body_digest, p_prev_hash, p_hash)
            WITH ORDINALITY AS e (run_id, seq, at, kind, cause, body, salt, body_digest, prev_hash, hash, n)
        WINDOW chain AS (PARTITION BY e.run_id ORDER BY e.n)
    ), amiss AS (
        SELECT e.run_id
        FROM entry e JOIN held h ON h.run_id = e.run_id
        LEFT JOIN journal j ON j.run_id = e.run_id AND j.cause = e.cause
        WHERE e.seq <> coalesce(e.seq_before, h.seq, 0) + 1
           OR e.prev_hash <> coalesce(e.hash_before, h.hash, decode(repeat('00', 32), 'hex'))
           OR e.told > 1 OR j.run_id IS NOT NULL
    ), good AS MATERIALIZED (
        SELECT run_id FROM held WHERE run_id NOT IN (SELECT run_id FROM amiss) AND run_id <> ALL (unfit)
    ), written AS (
        INSERT INTO journal (run_id, seq, at, kind, cause, body, salt, body_digest, prev_hash, hash)
        SELECT e.run_id, e.seq, e.at, e.kind, e.cause, e.body, e.salt, e.body_digest, e.prev_hash, e.hash
        FROM entry e JOIN good USING (run_id)
    )
    SELECT coalesce(array_agg(run_id), '{}') INTO accepted FROM good;

    IF jsonb_array_length(p_rows) > 0 THEN
        PERFORM steward_write_rows(accepted, p_rows);
    END IF;

    -- Nothing is waited for any more by a run that has ended.
    IF 'run.ended' = ANY (p_kind) THEN
        DELETE FROM subscription s USING unnest(p_run, p_kind) AS e (run_id, kind)
        WHERE e.kind = 'run.ended' AND e.run_id = ANY (accepted) AND s.run_id = e.run_id;
    END IF;

    IF cardinality(accepted) > 0 THEN
        hint := array_to_string(accepted, ',');
        PERFORM pg_notify('steward_seen', CASE WHEN length(hint) < 7900 THEN hint ELSE '' END);
    END IF;
    RETURN QUERY
        SELECT c.run_id, CASE WHEN c.run_id = ANY (accepted) THEN 'ok'
                              WHEN EXISTS (SELECT 1 FROM run r WHERE r.id = c.run_id AND r.owner = c.owner
                                           AND r.epoch = c.epoch) THEN 'moved'
                              ELSE 'fenced' END
        FROM unnest(p_runs, p_owners, p_epochs) AS c (run_id, owner, epoch);
END $$;

-- The rows that belong to events, of the accepted runs only. A question asked again after it was closed or answered is
-- open again; one that is open stays as it is. A question that somebody has answered meanwhile is not closed.
CREATE OR REPLACE FUNCTION steward_write_rows(p_accepted uuid[], p_rows jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    side record;
BEGIN
    FOR side IN
        SELECT x.* FROM ROWS FROM (
            jsonb_to_recordset(p_rows) AS (what text, run_id uuid, id text, at timestamptz, kind text, card text,
                                           approvers text[], status text, why text, escalation text,
                                           wanted jsonb, since timestamptz, after bigint)
        ) WITH ORDINALITY AS x
        WHERE x.run_id = ANY (p_accepted) ORDER BY x.ordinality
    LOOP
        CASE side.what
        WHEN 'ask' THEN
            INSERT INTO review (run_id, id, kind, card, approvers, asked_at, status)
            VALUES (side.run_id, side.id, side.kind, side.card, side.approvers, side.at, 'open')
            ON CONFLICT (run_id, id) DO UPDATE
            SET card = excluded.card, approvers = excluded.approvers, asked_at = excluded.asked_at, status = 'open',
                escalation = NULL,
                verdict = NULL, decided_by = NULL, decided_at = NULL, closed_why = '', closed_at = NULL
            WHERE review.status <> 'open';
        WHEN 'close' THEN
            UPDATE review SET status = side.status, closed_why = side.why, closed_at = coalesce(side.at, now())
            WHERE review.run_id = side.run_id AND review.id = side.id AND review.status = 'open';
        WHEN 'escalate' THEN
            UPDATE review SET approvers = side.approvers, escalation = side.escalation
            WHERE review.run_id = side.run_id AND review.id = side.id AND review.status = 'open';
        WHEN 'timer' THEN
            INSERT INTO timer (run_id, timer_id, due_at) VALUES (side.run_id, side.id, side.at)
            ON CONFLICT (run_id, timer_id) DO UPDATE SET due_at = excluded.due_at;
        WHEN 'subscribe' THEN
            PERFORM steward_subscribe(
                ROW(side.run_id, side.id, side.wanted ->> 'type', side.wanted,
                    ARRAY(SELECT jsonb_object_keys(side.wanted) ORDER BY 1), side.since, side.at)::subscription,
                side.after);
        WHEN 'rely' THEN
            NULL;  -- looked at before anything was accepted
        WHEN 'suspend' THEN
            UPDATE autonomy_rule SET status = 'suspended', why = side.why, ended_at = side.at
            WHERE id = side.id AND status = 'ratified';
        END CASE;
    END LOOP;
END $$;

-- Locks the earned rules that rows rely on or suspend, in id order: those to be suspended for that, the others against it.
-- Returns the runs that rely on one that does not hold, or that is suspended by the same rows.
CREATE OR REPLACE FUNCTION steward_unreliable(p_rows jsonb) RETURNS uuid[]
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    named record;
    runs uuid[];
BEGIN
    FOR named IN
        SELECT x.id, bool_or(x.what = 'suspend') AS ends FROM jsonb_to_recordset(p_rows) AS x (what text, id text)
        WHERE x.what IN ('rely', 'suspend') GROUP BY x.id ORDER BY x.id
    LOOP
        IF named.ends THEN
            PERFORM 1 FROM autonomy_rule a WHERE a.id = named.id FOR NO KEY UPDATE;
        ELSE
            PERFORM 1 FROM autonomy_rule a WHERE a.id = named.id FOR SHARE;
        END IF;
    END LOOP;
    SELECT coalesce(array_agg(x.run_id), '{}') INTO runs
    FROM jsonb_to_recordset(p_rows) AS x (what text, run_id uuid, id text, at timestamptz)
    WHERE x.what = 'rely' AND (
        NOT EXISTS (SELECT 1 FROM autonomy_rule a WHERE a.id = x.id AND a.status = 'ratified' AND a.until > x.at)
        OR EXISTS (SELECT 1 FROM jsonb_to_recordset(p_rows) AS y (what text, id text)
                   WHERE y.what = 'suspend' AND y.id = x.id)
    );
    RETURN runs;
END $$;

-- Blanks what an ended run's rows say about people; the chain stays valid. Returns how many entries were blanked now.
-- That the run has ended is for its journal to say (the row is the application's to write), and for the row to say that
-- no worker has it any more. An input that came too late may stand behind run.ended.
CREATE OR REPLACE FUNCTION steward_erase(p_run uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    blanked bigint;
BEGIN
    PERFORM 1 FROM run r WHERE r.id = p_run AND r.ended_at IS NOT NULL FOR UPDATE;
    IF NOT FOUND OR NOT EXISTS (SELECT 1 FROM journal j WHERE j.run_id = p_run AND j.kind = 'run.ended') THEN
        RAISE EXCEPTION 'only an ended run can be erased';
    END IF;
    -- Not by SET in the function's head: an owner that is no superuser may not write that.
    PERFORM set_config('steward.erasing', 'yes', true);
    UPDATE journal SET body = NULL, salt = NULL WHERE run_id = p_run AND (body IS NOT NULL OR salt IS NOT NULL);
    GET DIAGNOSTICS blanked = ROW_COUNT;
    PERFORM set_config('steward.erasing', '', true);

    UPDATE run SET title = '', requester = '', waiting_for = '' WHERE id = p_run;
    -- A child's row names its parent's step, and that the item it was for, which may be a person. While the parent is at
    -- work it needs the name, and holds it itself.
    UPDATE run SET parent_step = split_part(parent_step, '[', 1)
    WHERE parent_id = p_run
       OR (id = p_run AND NOT EXISTS (SELECT FROM run p WHERE p.id = run.parent_id AND p.ended_at IS NULL));
    -- The verdict's choice stays; its reason, arguments and answer go.
    UPDATE review SET card = NULL, approvers = '{}', closed_why = '',
        verdict = CASE WHEN verdict IS NOT NULL THEN jsonb_build_object('choice', verdict::jsonb -> 'choice')::text END
    WHERE run_id = p_run;
    UPDATE inbox SET body = '{}' WHERE run_id = p_run;
    DELETE FROM subscription WHERE run_id = p_run;
    -- What another system told about this run, it told everybody: it is kept for nobody any more.
    UPDATE outside_event SET fields = NULL, body = NULL
    WHERE key IN (SELECT t.event_key FROM event_taken t WHERE t.run_id = p_run);
    RETURN blanked;
END $$;
