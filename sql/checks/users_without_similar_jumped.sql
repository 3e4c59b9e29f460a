-- The share of users without similar users is within 5 points of that of the date before.
-- severity: warning
SELECT *
FROM
  (SELECT 1 - similar / users AS share
   FROM (SELECT count(*) AS users FROM {user_profile}), (SELECT count(*) AS similar FROM {similar_users})),
  (SELECT 1 - similar / users AS share_before
   FROM (SELECT count(*) AS users FROM {user_profile_before}),
     (SELECT count(*) AS similar FROM {similar_users_before}))
WHERE abs(share - share_before) > 0.05
