"""The chat in a real browser: real server, database, worker and sandbox company."""
