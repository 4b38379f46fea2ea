-- One issue: whether it is marked blocked, is live, depends on a live issue that blocks it, and has a parent.
SELECT
  i.blocked,
  i.visible = 1 AND i.status <> 'closed',
  EXISTS (
    SELECT 1
    FROM dependency AS d
    JOIN issue AS t ON t.id = d.target AND t.visible = 1 AND t.status <> 'closed'
    WHERE d.issue = i.id AND d.type = 'blocks'
  ),
  EXISTS (SELECT 1 FROM dependency AS d WHERE d.issue = i.id AND d.type = 'parent-child')
FROM issue AS i
WHERE i.id = ?
