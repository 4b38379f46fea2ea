-- The ids that more than one line has.
SELECT id FROM operation GROUP BY id HAVING count(*) > 1
