-- The dependencies of many issues, whose ids come as one JSON array.
SELECT j.key, d.target, d.type, d.created_at, d.created_by, d.metadata
FROM json_each(?) AS j
CROSS JOIN dependency AS d ON d.issue = j.value
ORDER BY j.key, d.target, d.type
