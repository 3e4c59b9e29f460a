-- Every similar user has a profile.
-- Hashes are joined: a table of numbers is small, and a missing id meets one of them by chance once in 10^13 ids.
SELECT /*+ BROADCAST(known) */ lists.user_id, lists.listed
FROM (SELECT user_id, explode(neighbours.user_id) AS listed FROM {similar_users}) AS lists
LEFT ANTI JOIN (SELECT xxhash64(user_id) AS hash FROM {user_profile}) AS known ON xxhash64(lists.listed) = known.hash
