-- Similar users are others, have a profile, and are of a similarity above 0 and at most 1.
-- Joined by hash: numbers are small to hold, and an unknown id meets a known hash once in 10^13 times.
SELECT /*+ BROADCAST(known) */ user_id, neighbour, similarity, hash IS NOT NULL AS is_known
FROM (SELECT user_id, inline_outer(neighbours) AS (neighbour, similarity) FROM {similar_users_new})
LEFT JOIN (SELECT xxhash64(user_id) AS hash FROM {user_profile}) AS known ON xxhash64(neighbour) = hash
WHERE hash IS NULL OR user_id IS NULL OR neighbour IS NULL OR neighbour = user_id
   OR NOT coalesce(similarity > 0 AND similarity <= 1, false)
