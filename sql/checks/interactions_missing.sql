-- There are events.
SELECT 'interactions has no rows' AS finding
FROM (SELECT count(*) AS events FROM {interactions})
WHERE events = 0
