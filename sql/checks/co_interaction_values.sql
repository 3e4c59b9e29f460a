-- Neighbours are other items, of support 1 or more, cosine above 0, lift above 0, next_weight 0 or more.
SELECT item_id, size(neighbours.item_id) AS neighbours, array_min(neighbours.support) AS min_support,
  array_min(neighbours.cosine) AS min_cosine, array_max(neighbours.cosine) AS max_cosine,
  array_min(neighbours.lift) AS min_lift, array_min(neighbours.next_weight) AS min_next_weight
FROM {co_interaction}
WHERE item_id IS NULL OR coalesce(size(neighbours.item_id), 0) < 1
   -- array_contains is null where an element is
   OR array_contains(neighbours.item_id, item_id) IS NOT FALSE
   OR array_contains(neighbours.support, 0L) IS NOT FALSE OR array_min(neighbours.support) < 1
   OR array_contains(neighbours.cosine, 0D) IS NOT FALSE OR array_min(neighbours.cosine) <= 0
   OR array_max(neighbours.cosine) >= double('Infinity')
   OR array_contains(neighbours.lift, 0D) IS NOT FALSE OR array_min(neighbours.lift) <= 0
   OR array_max(neighbours.lift) >= double('Infinity')
   OR array_contains(neighbours.next_weight, -1D) IS NOT FALSE OR array_min(neighbours.next_weight) < 0
   OR array_max(neighbours.next_weight) >= double('Infinity')
