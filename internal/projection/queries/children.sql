-- How many visible children each of the given parents has, and how many of them are closed.
SELECT list.key, count(*), sum(c.status = 'closed')
FROM json_each(?) AS list
JOIN dependency AS d ON d.target = list.value AND d.type = 'parent-child'
JOIN issue AS c ON c.id = d.issue AND c.visible = 1
GROUP BY list.key
