-- A user has one list of similar users.
SELECT user_id, count(*) AS times
FROM {similar_users}
GROUP BY user_id
HAVING count(*) > 1
