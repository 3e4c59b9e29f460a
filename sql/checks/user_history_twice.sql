-- A user has one history.
SELECT user_id, count(*) AS times
FROM {user_history}
GROUP BY user_id
HAVING count(*) > 1
