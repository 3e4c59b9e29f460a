-- A user has candidates, each once, each with a source and a score.
SELECT user_id, size(items.item_id) AS candidates, size(array_distinct(items.item_id)) AS items
FROM {candidates}
WHERE user_id IS NULL OR coalesce(size(items.item_id), 0) < 1
   OR size(array_distinct(items.item_id)) <> size(items.item_id)
   -- array_contains is null where an element is
   OR array_contains(items.item_id, '') IS NOT FALSE
   OR array_contains(items.sources, CAST(array() AS array<string>)) IS NOT FALSE
   OR array_contains(items.score, double('Infinity')) IS NOT FALSE OR array_max(items.score) > 1e300
