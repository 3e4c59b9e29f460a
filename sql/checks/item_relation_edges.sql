-- A neighbourhood has edges, each with relation and label; where they say that they end at an item, it is in the catalogue.
SELECT edges.item_id, relation, label, tail_item_id
FROM (SELECT item_id, inline_outer(neighbours) AS (relation, label, tail_item_id) FROM {item_relation}) AS edges
LEFT JOIN {item_metadata} AS items ON tail_item_id = items.item_id
WHERE edges.item_id IS NULL OR relation IS NULL OR label IS NULL
   OR (tail_item_id IS NOT NULL AND items.item_id IS NULL)
