-- The live parents of an issue.
SELECT p.id
FROM dependency AS d
JOIN issue AS p ON p.id = d.target AND p.visible = 1 AND p.status <> 'closed'
WHERE d.issue = ? AND d.type = 'parent-child'
ORDER BY p.id
