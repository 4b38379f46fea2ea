-- Every operation of an issue that counts, in the order of the fold.
SELECT o.id, o.issue, o.line
FROM operation AS o INDEXED BY operation_issue_index
WHERE o.issue > '' AND o.counts = 1
ORDER BY o.issue, o.id
