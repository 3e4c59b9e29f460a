-- Similar users are others, of a similarity above 0 and at most 1.
SELECT user_id, size(neighbours.user_id) AS neighbours, array_min(neighbours.similarity) AS min_similarity,
  array_max(neighbours.similarity) AS max_similarity
FROM {similar_users}
WHERE user_id IS NULL OR coalesce(size(neighbours.user_id), 0) < 1
   -- array_contains is null where an element is
   OR array_contains(neighbours.user_id, user_id) IS NOT FALSE
   OR array_contains(neighbours.similarity, 0D) IS NOT FALSE OR array_min(neighbours.similarity) <= 0
   OR array_max(neighbours.similarity) > 1
