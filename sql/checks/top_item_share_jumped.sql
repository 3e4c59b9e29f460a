-- The most popular item's share of all events is within a point and a fifth of that of the date before.
-- severity: warning
SELECT *
FROM
  (SELECT max(popularity) / sum(popularity) AS share FROM {item_metadata}),
  (SELECT max(popularity) / sum(popularity) AS share_before FROM {item_metadata_before})
WHERE abs(share - share_before) > greatest(0.01, 0.2 * share_before)
