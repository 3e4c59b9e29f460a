-- Edges start at an item of the catalogue, and where they say that they end at one, they do.
SELECT edges.item_id
FROM (
  SELECT item_id FROM {item_relation}
  UNION ALL
  SELECT tail FROM (SELECT explode(neighbours.item_id) AS tail FROM {item_relation}) WHERE tail IS NOT NULL
) AS edges
LEFT ANTI JOIN {item_metadata} AS items ON edges.item_id = items.item_id
