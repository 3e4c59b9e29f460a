-- A user has one list of candidates.
SELECT user_id, count(*) AS times
FROM {candidates}
GROUP BY user_id
HAVING count(*) > 1
