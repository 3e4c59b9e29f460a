-- A user has one state.
SELECT user_id, count(*) AS times
FROM {user_state}
GROUP BY user_id
HAVING count(*) > 1
