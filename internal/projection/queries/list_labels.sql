-- The labels of many issues, whose ids come as one JSON array.
SELECT j.key, l.label
FROM json_each(?) AS j
CROSS JOIN label AS l ON l.issue = j.value
ORDER BY j.key, l.label
