-- name: session
-- What every connection of the application is set to. Statements look at few rows, by indexes; a plan that was made and
-- cached while the tables were new, and reads a whole one, would stay until the first ANALYZE.
SELECT set_config('role', 'steward_app', false), set_config('timezone', 'UTC', false), set_config('jit', 'off', false),
       set_config('enable_seqscan', 'off', false)

-- name: session_id
-- The server process behind this connection.
SELECT pg_backend_pid() AS session

-- name: fitness
-- What the application must know before it trusts the database.
SELECT current_setting('server_version_num')::int / 10000 AS version,
       j.name IS NOT NULL AS migrated,
       coalesce(
           has_table_privilege(j.name, 'UPDATE') OR has_any_column_privilege(j.name, 'UPDATE')
           OR has_table_privilege(j.name, 'DELETE') OR has_table_privilege(j.name, 'TRUNCATE'), false) AS may_rewrite,
       -- Whoever logged in may RESET ROLE. A superuser counts as a member of everything.
       coalesce(pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = j.name), 'MEMBER'), false)
           AS login_may_rewrite, session_user::text AS login
FROM (SELECT to_regclass('public.journal')::oid) AS j (name)
