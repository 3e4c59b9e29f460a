-- A user has at most one list of candidates, and a profile with it.
SELECT user_id, sum(profile) AS profiles, sum(list) AS lists_of_candidates
FROM (
  SELECT user_id, 1 AS profile, 0 AS list FROM {user_profile}
  UNION ALL
  SELECT user_id, 0, 1 FROM {candidates}
)
GROUP BY user_id
HAVING user_id IS NULL OR lists_of_candidates > profiles OR lists_of_candidates > 1
