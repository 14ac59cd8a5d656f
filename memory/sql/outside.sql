-- name: publish
SELECT first, woken FROM steward_publish(%(key)s, %(at)s, %(fields)s, %(body)s)

-- name: forget
-- What runs were given of them stays with the runs.
DELETE FROM outside_event WHERE at < %(before)s
