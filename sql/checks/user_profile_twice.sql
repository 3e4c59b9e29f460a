-- A user has one profile.
SELECT user_id, count(*) AS times
FROM {user_profile}
GROUP BY user_id
HAVING count(*) > 1
