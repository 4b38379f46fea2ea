-- How many dependencies of visible issues name each of many issues, whose ids come as one JSON array.
SELECT j.key, count(*)
FROM json_each(?) AS j
CROSS JOIN dependency AS d ON d.target = j.value
CROSS JOIN issue AS h ON h.id = d.issue AND h.visible = 1
GROUP BY j.key
