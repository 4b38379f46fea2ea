PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
ATTACH ':memory:' AS source;
CREATE TABLE source.raw (line TEXT);
.mode ascii
.separator "\037" "\n"
.import --schema source '%s' raw
BEGIN;
CREATE TABLE operation (id TEXT NOT NULL, issue TEXT, do TEXT NOT NULL, line TEXT NOT NULL) STRICT;
INSERT INTO operation
  SELECT json_extract(line, '$.op'), json_extract(line, '$.issue'), json_extract(line, '$.do'), line FROM source.raw;
CREATE UNIQUE INDEX operation_id ON operation (id);
CREATE INDEX operation_issue ON operation (issue, id);
CREATE TABLE issue (
  id TEXT NOT NULL, title TEXT, description TEXT, notes TEXT, issue_type TEXT, priority INTEGER, status TEXT,
  assignee TEXT, close_reason TEXT, created_at TEXT, created_by TEXT, updated_at TEXT, closed_at TEXT, blocked INTEGER
) STRICT;
INSERT INTO issue
  SELECT o.issue, json_extract(o.line, '$.set.title'), json_extract(o.line, '$.set.description'),
    json_extract(u.line, '$.set.notes'), json_extract(o.line, '$.set.issue_type'), json_extract(o.line, '$.set.priority'),
    coalesce(json_extract(c.line, '$.set.status'), 'open'), json_extract(u.line, '$.set.assignee'),
    json_extract(c.line, '$.set.close_reason'), json_extract(o.line, '$.at'), json_extract(o.line, '$.by'),
    coalesce(json_extract(c.line, '$.at'), json_extract(u.line, '$.at'), json_extract(o.line, '$.at')),
    json_extract(c.line, '$.at'), 0
  FROM operation o
  LEFT JOIN operation u ON u.id = (SELECT max(id) FROM operation WHERE issue = o.issue AND do = 'update')
  LEFT JOIN operation c ON c.id = (SELECT max(id) FROM operation WHERE issue = o.issue AND do = 'close')
  WHERE o.do = 'create';
CREATE TABLE label (issue TEXT NOT NULL, label TEXT NOT NULL) STRICT;
INSERT INTO label
  SELECT o.issue, l.value FROM operation o, json_each(o.line, '$.add.labels') l WHERE o.do = 'create';
CREATE TABLE dependency (issue TEXT NOT NULL, target TEXT NOT NULL, type TEXT NOT NULL) STRICT;
INSERT INTO dependency
  SELECT o.issue, json_extract(d.value, '$.to'), json_extract(d.value, '$.type')
  FROM operation o, json_each(o.line, '$.add.deps') d WHERE o.do = 'create';
CREATE TABLE comment (issue TEXT NOT NULL, created_at TEXT, author TEXT, text TEXT) STRICT;
INSERT INTO comment
  SELECT issue, json_extract(line, '$.at'), json_extract(line, '$.by'), json_extract(line, '$.comment.text')
  FROM operation WHERE do = 'comment';
CREATE UNIQUE INDEX issue_id ON issue (id);
UPDATE issue SET blocked = 1 WHERE EXISTS (
  SELECT 1 FROM dependency d JOIN issue b ON b.id = d.target WHERE d.issue = issue.id AND d.type = 'blocks' AND b.status <> 'closed');
CREATE INDEX issue_all ON issue (priority, created_at, id, status);
CREATE INDEX issue_live ON issue (priority, created_at, id, status) WHERE status <> 'closed';
CREATE INDEX issue_ready ON issue (status, blocked, priority, created_at, id) WHERE status = 'open' AND blocked = 0;
CREATE INDEX issue_blocked ON issue (priority, created_at, id) WHERE blocked = 1;
CREATE INDEX issue_status ON issue (status, priority, created_at, id);
CREATE INDEX issue_assignee ON issue (assignee, priority, created_at, id) WHERE assignee IS NOT NULL;
CREATE INDEX issue_type ON issue (issue_type, priority, created_at, id);
CREATE INDEX issue_created ON issue (created_at, id);
CREATE INDEX issue_updated ON issue (updated_at, id);
CREATE INDEX issue_closed ON issue (closed_at, id) WHERE closed_at IS NOT NULL;
CREATE INDEX label_label ON label (label, issue);
CREATE UNIQUE INDEX dependency_key ON dependency (issue, target, type);
CREATE INDEX dependency_target ON dependency (target, type, issue);
CREATE INDEX comment_key ON comment (issue, created_at);
COMMIT;
