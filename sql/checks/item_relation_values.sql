-- A neighbourhood has edges, each with relation and label.
SELECT item_id, size(neighbours.label) AS edges
FROM {item_relation}
WHERE item_id IS NULL OR coalesce(size(neighbours.label), 0) < 1
   -- array_contains is null where an element is
   OR array_contains(neighbours.relation, '') IS NULL OR array_contains(neighbours.label, '') IS NULL
