-- The users' mean rating, in the mean, is within a twentieth of that of the date before.
-- severity: warning
SELECT *
FROM
  (SELECT avg(mean_rating) AS mean FROM {user_profile}),
  (SELECT avg(mean_rating) AS mean_before FROM {user_profile_before})
WHERE abs(mean - mean_before) > 0.05 * abs(mean_before)
