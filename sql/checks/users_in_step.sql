-- A user has one profile, one history, and at most one list of similar users.
SELECT user_id, sum(profile) AS profiles, sum(history) AS histories, sum(list) AS lists_of_similar_users
FROM (
  SELECT user_id, 1 AS profile, 0 AS history, 0 AS list FROM {user_profile}
  UNION ALL
  SELECT user_id, 0, 1, 0 FROM {user_history}
  UNION ALL
  SELECT user_id, 0, 0, 1 FROM {similar_users}
)
GROUP BY user_id
HAVING user_id IS NULL OR profiles <> 1 OR histories <> 1 OR lists_of_similar_users > 1
