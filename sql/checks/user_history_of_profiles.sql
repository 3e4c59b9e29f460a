-- A user has a profile and a history, which hold the same newest event; the history is not longer than the events counted.
SELECT coalesce(profiles.user_id, histories.user_id) AS user_id, profiles.interaction_count, histories.events,
  profiles.last_time, histories.newest
FROM {user_profile} AS profiles
FULL JOIN (
  SELECT user_id, size(events.event_time) AS events, get(events.event_time, 0) AS newest
  FROM {user_history}
) AS histories ON profiles.user_id = histories.user_id
WHERE profiles.user_id IS NULL OR histories.user_id IS NULL
   OR NOT profiles.last_time <=> histories.newest
   OR histories.events > profiles.interaction_count
