-- A user is there once.
SELECT user_id, count(*) AS times
FROM {users}
GROUP BY user_id
HAVING count(*) > 1
