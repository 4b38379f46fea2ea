-- One live issue: whether a live issue blocks it directly.
SELECT EXISTS (
  SELECT 1
  FROM dependency AS d
  JOIN issue AS t ON t.id = d.target AND t.visible = 1 AND t.status <> 'closed'
  WHERE d.issue = ? AND d.type = 'blocks'
)
