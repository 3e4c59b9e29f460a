-- Popularity ranks run from 1 to the number of items, without gaps or ties.
SELECT *
FROM (
  SELECT count(*) AS items, count(DISTINCT popularity_rank) AS ranks, min(popularity_rank) AS first,
    max(popularity_rank) AS last
  FROM {item_metadata}
)
WHERE items > 0 AND NOT (ranks = items AND first = 1 AND last = items)
