-- How many comments many issues have, whose ids come as one JSON array.
SELECT j.key, count(*)
FROM json_each(?) AS j
CROSS JOIN comment AS c ON c.issue = j.value
GROUP BY j.key
