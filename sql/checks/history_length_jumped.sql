-- Histories are within a fifth as long, in the mean, as those of the date before.
-- severity: warning
SELECT *
FROM
  (SELECT avg(size(events.rating)) AS mean_length FROM {user_history}),
  (SELECT avg(size(events.rating)) AS mean_length_before FROM {user_history_before})
WHERE abs(mean_length - mean_length_before) > 0.2 * mean_length_before
