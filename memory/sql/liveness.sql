-- name: begin
-- The server notices within about 11 seconds that this machine is gone (on TCP), and gives up a statement that hangs.
SELECT set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false),
       set_config('tcp_keepalives_count', '3', false), set_config('statement_timeout', %(patience)s, false)

-- name: identity
SELECT nextval('worker_id_seq')::int AS worker_id

-- name: hold
SELECT pg_advisory_lock(7001, %(worker_id)s)

-- name: release
-- At an orderly end: the server may take a moment to notice a closed connection.
SELECT pg_advisory_unlock(7001, %(worker_id)s)
