-- A pair is there once; looked for in the first block, as a build that repeats pairs does so in all of them.
SELECT item, neighbour, count(*) AS times
FROM {co_interaction_pairs}
WHERE block = 0
GROUP BY item, neighbour
HAVING count(*) > 1
