-- What the application's role may do. Applied by every migration run, after the functions.

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO steward_app;

REVOKE ALL ON run, journal, review, inbox, timer, chat_thread, chat_remark, chat_run, system_health, system_rate FROM steward_app;
REVOKE ALL ON decision_score, decision_scored, autonomy_rule FROM steward_app;
REVOKE ALL ON model_call FROM steward_app;
GRANT SELECT ON journal TO steward_app;
-- What a run or a question is, never changes; steward_erase blanks it.
GRANT SELECT, UPDATE (
    owner, epoch, lease_until, claimed_seq, wake_at, status, waiting_for, fruitless, ended_at,
    claimed_at, deaths, blamed_seq, alone
) ON run TO steward_app;
GRANT SELECT, UPDATE (status, verdict, decided_by, decided_at) ON review TO steward_app;
GRANT SELECT, INSERT ON inbox TO steward_app;
GRANT SELECT, DELETE ON timer TO steward_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON chat_thread, chat_remark, chat_run TO steward_app;
GRANT SELECT, INSERT, UPDATE ON system_health, system_rate TO steward_app;
REVOKE ALL ON plan_template, plan_template_miss, plan_template_failure FROM steward_app;
GRANT SELECT, INSERT, UPDATE (kept_at, hits, hits_then, dropped_at, dropped_by, dropped_why) ON plan_template TO steward_app;
GRANT SELECT, INSERT, UPDATE ON plan_template_miss TO steward_app;
GRANT SELECT, INSERT ON plan_template_failure TO steward_app;
GRANT SELECT, INSERT, UPDATE ON decision_score, decision_scored TO steward_app;
-- What is proposed never changes; only people's word on it does.
GRANT SELECT, INSERT, UPDATE (status, decided_by, decided_at, until, why, ended_at) ON autonomy_rule TO steward_app;
GRANT SELECT, INSERT, UPDATE (ok, why, tokens_in, tokens_out, cost_microusd, latency_ms) ON model_call TO steward_app;
-- Written by the functions alone; what is old the application forgets.
REVOKE ALL ON outside_event, subscription, event_taken FROM steward_app;
GRANT SELECT, DELETE ON outside_event TO steward_app;
GRANT SELECT ON subscription, event_taken TO steward_app;
GRANT USAGE ON SEQUENCE worker_id_seq TO steward_app;

REVOKE ALL ON FUNCTION steward_admit, steward_append, steward_erase, steward_write_rows, steward_unreliable, steward_guard_journal,
    steward_hold_types, steward_event_note, steward_publish, steward_subscribe FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_admit, steward_append, steward_erase, steward_publish TO steward_app;

-- LangGraph's own.
GRANT SELECT, INSERT, UPDATE, DELETE ON checkpoints, checkpoint_blobs, checkpoint_writes TO steward_app;
