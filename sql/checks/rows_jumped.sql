-- A table has 150 % of its usual rows or less: the median of the last 7 dates built, where there are 3.
-- severity: warning
SELECT counts.table, counts.rows, usual.rows AS usual_rows
FROM {row_counts} AS counts
JOIN (
  SELECT table, percentile(rows, 0.5) AS rows
  FROM (SELECT table, rows, row_number() OVER (PARTITION BY table ORDER BY ds DESC) AS age FROM {table_status})
  WHERE age <= 7
  GROUP BY table
  HAVING count(*) >= 3
) AS usual ON counts.table = usual.table
WHERE counts.table <> 'co_interaction_pairs' AND 10 * counts.rows > 15 * usual.rows
