-- The live parents of an issue that are marked blocked.
SELECT p.id
FROM dependency AS d
JOIN issue AS p ON p.id = d.target AND p.visible = 1 AND p.status <> 'closed' AND p.blocked = 1
WHERE d.issue = ? AND d.type = 'parent-child'
