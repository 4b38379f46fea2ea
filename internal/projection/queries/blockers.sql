-- The live issues that block an issue directly.
SELECT t.id
FROM dependency AS d
JOIN issue AS t ON t.id = d.target AND t.visible = 1 AND t.status <> 'closed'
WHERE d.issue = ? AND d.type = 'blocks'
ORDER BY t.id
