-- A pair stands there both ways, with the same support.
SELECT *
FROM (
  SELECT count_if(item < neighbour) AS up, count_if(item > neighbour) AS down,
    bit_xor(hash(least(item, neighbour), greatest(item, neighbour), support)) AS unmatched
  FROM {co_interaction_pairs}
)
WHERE up <> down OR unmatched <> 0
