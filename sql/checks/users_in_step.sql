-- A user has one profile, one history, at most one list of similar users; the history runs from the profile's last event back, newest first, and is no longer than the profile's count.
SELECT user_id, sum(profile) AS profiles, sum(history) AS histories, sum(list) AS lists_of_similar_users,
  max(last_time) AS last_time, max(newest) AS newest_of_history, sum(counted) AS counted, sum(kept) AS kept,
  max(unordered) AS unordered
FROM (
  SELECT user_id, 1 AS profile, 0 AS history, 0 AS list, last_time, NULL AS newest, interaction_count AS counted,
    0 AS kept, false AS unordered
  FROM {user_profile}
  UNION ALL
  SELECT user_id, 0, 1, 0, NULL, get(events.event_time, 0), 0, size(events.event_time),
    -- array_contains is null where an element is
    coalesce(array_contains(events.event_time, timestamp '0001-01-01'), true)
      OR events.event_time <> sort_array(events.event_time, false)
  FROM {user_history}
  UNION ALL
  SELECT user_id, 0, 0, 1, NULL, NULL, 0, 0, false
  FROM {similar_users}
)
GROUP BY user_id
HAVING user_id IS NULL OR profiles <> 1 OR histories <> 1 OR lists_of_similar_users > 1
  OR NOT max(last_time) <=> newest_of_history OR sum(kept) > sum(counted) OR max(unordered)
