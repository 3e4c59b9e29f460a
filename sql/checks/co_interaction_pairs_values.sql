-- A pair is of two items, of support 1 or more and a next_weight of 0 or more.
SELECT block, item, neighbour, support, next_weight
FROM {co_interaction_pairs}
WHERE block IS NULL OR item IS NULL OR neighbour IS NULL OR item = neighbour
   OR coalesce(support, 0) < 1 OR coalesce(next_weight, -1) < 0
