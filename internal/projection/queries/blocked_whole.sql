-- Sets issue.blocked of every issue: the least fixpoint that ready.go describes.
-- Every row of derived is live, so a child inherits only from a live parent.
WITH RECURSIVE derived (id) AS (
  SELECT d.issue
  FROM dependency AS d
  JOIN issue AS i ON i.id = d.issue AND i.visible = 1 AND i.status <> 'closed'
  JOIN issue AS t ON t.id = d.target AND t.visible = 1 AND t.status <> 'closed'
  WHERE d.type = 'blocks'
  UNION
  SELECT d.issue
  FROM derived AS p
  JOIN dependency AS d ON d.target = p.id AND d.type = 'parent-child'
  JOIN issue AS i ON i.id = d.issue AND i.visible = 1 AND i.status <> 'closed'
)
UPDATE issue SET blocked = (id IN derived) WHERE blocked <> (id IN derived)
