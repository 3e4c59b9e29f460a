-- Every edge starts at an item of the catalogue, and where it says that it ends at one, it does.
SELECT edges.head_item_id, edges.relation, edges.tail_id, edges.tail_item_id
FROM {item_relations} AS edges
LEFT JOIN {items} AS heads ON edges.head_item_id = heads.item_id
LEFT JOIN {items} AS tails ON edges.tail_item_id = tails.item_id
WHERE heads.item_id IS NULL OR (edges.tail_item_id IS NOT NULL AND tails.item_id IS NULL)
