-- Users have within a fifth as many events, in the mean, as on the date before.
-- severity: warning
SELECT *
FROM
  (SELECT avg(interaction_count) AS mean_events FROM {user_profile}),
  (SELECT avg(interaction_count) AS mean_events_before FROM {user_profile_before})
WHERE abs(mean_events - mean_events_before) > 0.2 * mean_events_before
