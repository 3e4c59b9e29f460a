-- A user has a profile and a state, which agree on whether there are ratings; these are at most the events counted.
SELECT coalesce(profiles.user_id, states.user_id) AS user_id, interaction_count, mean_rating, rating_count
FROM {user_profile} AS profiles
FULL JOIN {user_state} AS states ON profiles.user_id = states.user_id
WHERE profiles.user_id IS NULL OR states.user_id IS NULL
   OR rating_count > interaction_count
   OR (mean_rating IS NULL) <> (rating_count = 0)
