-- Live epics with children, all of which are closed.
SELECT count(*)
FROM issue AS e
WHERE e.visible = 1 AND e.issue_type = 'epic' AND +e.status <> 'closed'
  AND EXISTS (
    SELECT 1
    FROM dependency AS d
    JOIN issue AS c ON c.id = d.issue AND c.visible = 1
    WHERE d.target = e.id AND d.type = 'parent-child'
  )
  AND NOT EXISTS (
    SELECT 1
    FROM dependency AS d
    JOIN issue AS c ON c.id = d.issue AND c.visible = 1 AND c.status <> 'closed'
    WHERE d.target = e.id AND d.type = 'parent-child'
  )
