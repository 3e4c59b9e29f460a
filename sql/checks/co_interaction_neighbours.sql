-- Neighbours are other items of the catalogue, of support 1 or more, cosine above 0, lift above 0, next_weight 0 or more.
-- Joined by hash: numbers are small to hold, and an unknown id meets a known hash once in 10^13 times.
SELECT /*+ BROADCAST(known) */ item_id, neighbour, support, cosine, lift, next_weight, hash IS NOT NULL AS is_known
FROM (
  SELECT item_id, inline_outer(neighbours) AS (neighbour, support, cosine, lift, next_weight) FROM {co_interaction}
)
LEFT JOIN (SELECT xxhash64(item_id) AS hash FROM {item_metadata}) AS known ON xxhash64(neighbour) = hash
WHERE hash IS NULL OR item_id IS NULL OR neighbour IS NULL OR neighbour = item_id
   OR coalesce(support, 0) < 1
   OR NOT coalesce(cosine > 0 AND cosine < double('Infinity'), false)
   OR NOT coalesce(lift > 0 AND lift < double('Infinity'), false)
   OR NOT coalesce(next_weight >= 0 AND next_weight < double('Infinity'), false)
