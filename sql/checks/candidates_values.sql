-- A user has candidates, each once, each with a score.
SELECT user_id, size(items.item_id) AS candidates, size(array_distinct(items.item_id)) AS different
FROM {candidates}
WHERE user_id IS NULL OR coalesce(size(items.item_id), 0) < 1
   OR size(array_distinct(items.item_id)) <> size(items.item_id)
   -- array_contains is null where an element is; NaN counts as larger than any number
   OR coalesce(array_contains(items.item_id, ''), true)
   OR coalesce(array_contains(items.score, double('Infinity')), true) OR isnan(array_max(items.score))
