-- A user has one profile and one state, which agree on whether there are ratings; these are at most the events counted.
SELECT user_id, sum(profile) AS profiles, sum(state) AS states, sum(events) AS events, sum(ratings) AS ratings,
  max(is_rated) AS has_mean_rating
FROM (
  SELECT user_id, 1 AS profile, 0 AS state, interaction_count AS events, 0 AS ratings,
    mean_rating IS NOT NULL AS is_rated
  FROM {user_profile}
  UNION ALL
  SELECT user_id, 0, 1, 0, rating_count, false
  FROM {user_state}
)
GROUP BY user_id
HAVING profiles <> 1 OR states <> 1 OR sum(ratings) > sum(events) OR max(is_rated) <> (sum(ratings) > 0)
