-- name: mark
-- What the last process that brought the database to its version left here; nothing in a copy on a server without our role.
SELECT obj_description(to_regproc('steward_guard_journal'), 'pg_proc') AS mark
WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = 'steward_app')

-- name: lock
-- One process migrates at a time.
SELECT pg_try_advisory_lock(7000, 1) AS alone

-- name: role
-- The application's role, unless the administrator has made it. It cannot log in by itself: whoever connects as a
-- member takes it on. The owner becomes a member, so that one address is enough for a small installation.
DO $$
BEGIN
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'steward_app') THEN
            CREATE ROLE steward_app NOLOGIN;
        END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- made at the same moment, for another database of this server
    END;
    -- Since version 16 whoever creates a role may give it away, but not take it on, unless it gives it to itself.
    IF NOT pg_has_role(current_user, 'steward_app',
                       CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
        BEGIN
            GRANT steward_app TO current_user;
        EXCEPTION WHEN insufficient_privilege THEN
            NULL;  -- the administrator made the role, for an address of its own
        END;
    END IF;
END $$

-- name: login
-- A DO block takes no values.
SELECT set_config('steward.login', %(login)s, true)

-- name: member
-- The application's login becomes a member of its role. Who may not give it away leaves that to the administrator; the
-- application says what is missing when it starts.
DO $$
DECLARE
    login text := current_setting('steward.login');
BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = login) AND NOT pg_has_role(login, 'steward_app', 'MEMBER') THEN
        EXECUTE format('GRANT steward_app TO %I', login);
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    NULL;
END $$
