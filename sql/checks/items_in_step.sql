-- An item is in the catalogue of its date once, and has at most one list of neighbours and one of edges.
SELECT item_id, sum(item) AS items, sum(neighbours) AS lists_of_neighbours, sum(edges) AS lists_of_edges
FROM (
  SELECT item_id, 1 AS item, 0 AS neighbours, 0 AS edges FROM {item_metadata}
  UNION ALL
  SELECT item_id, 0, 1, 0 FROM {co_interaction}
  UNION ALL
  SELECT item_id, 0, 0, 1 FROM {item_relation}
)
GROUP BY item_id
HAVING item_id IS NULL OR items <> 1 OR lists_of_neighbours > 1 OR lists_of_edges > 1
