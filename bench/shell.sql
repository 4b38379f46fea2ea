-- What a rebuild ends with, loaded by the sqlite3 shell from the log: the lines, the issues as their last
-- operations left them, labels, dependencies, comments, and the indexes that bd has. It is written to be fast: each
-- line is parsed once, tables are filled in the order of their keys, indexes are made last, and a new file needs no
-- journal. It does less than bd: no sums, no hashes, no second copy of the log, and only the verbs of the generator.
PRAGMA journal_mode = OFF;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -65536;
PRAGMA temp_store = MEMORY;
CREATE TEMP TABLE raw (line TEXT);
.mode ascii
.separator "\037" "\n"
.import --schema temp '%s' raw
BEGIN;
CREATE TEMP TABLE parsed AS
  SELECT line->>'op' AS id, line->>'issue' AS issue, line->>'do' AS do, line->>'at' AS at, line->>'by' AS by,
    line->>'$.set.title' AS title, line->>'$.set.description' AS description, line->>'$.set.notes' AS notes,
    line->>'$.set.issue_type' AS issue_type, line->>'$.set.priority' AS priority, line->>'$.set.assignee' AS assignee,
    line->>'$.set.status' AS status, line->>'$.set.close_reason' AS close_reason, line->>'$.comment.text' AS comment,
    line->'$.add.labels' AS labels, line->'$.add.deps' AS deps, line
  FROM raw;
CREATE TABLE operation (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL, issue TEXT NOT NULL, do TEXT NOT NULL, line TEXT NOT NULL
) STRICT;
INSERT INTO operation (id, issue, do, line) SELECT id, coalesce(issue, ''), do, line FROM parsed;
CREATE UNIQUE INDEX operation_id ON operation (id);
CREATE INDEX operation_issue ON operation (issue, id);
-- With max(), the other columns are those of the row that has the greatest id.
CREATE TEMP TABLE last AS
  SELECT issue, do, max(id), at, notes, assignee, status, close_reason
  FROM parsed WHERE do <> 'create' GROUP BY issue, do;
CREATE UNIQUE INDEX last_issue ON last (issue, do);
CREATE TABLE issue (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL, title TEXT, description TEXT, notes TEXT, issue_type TEXT,
  priority INTEGER, status TEXT, assignee TEXT, close_reason TEXT, created_at TEXT, created_by TEXT,
  updated_at TEXT, closed_at TEXT, blocked INTEGER
) STRICT;
INSERT INTO issue
  SELECT NULL, o.issue, o.title, o.description, n.notes, o.issue_type, o.priority,
    coalesce(c.status, 'open'), n.assignee, c.close_reason, o.at, o.by,
    max(o.at, coalesce(n.at, ''), coalesce(d.at, ''), coalesce(c.at, '')), c.at, 0
  FROM parsed o
  LEFT JOIN last n ON n.issue = o.issue AND n.do = 'update'
  LEFT JOIN last c ON c.issue = o.issue AND c.do = 'close'
  LEFT JOIN last d ON d.issue = o.issue AND d.do = 'comment'
  WHERE o.do = 'create';
CREATE UNIQUE INDEX issue_id ON issue (id);
CREATE TABLE label (issue TEXT NOT NULL, label TEXT NOT NULL, PRIMARY KEY (issue, label)) STRICT, WITHOUT ROWID;
INSERT INTO label
  SELECT o.issue, l.value FROM parsed o, json_each(o.labels) l WHERE o.labels IS NOT NULL ORDER BY 1, 2;
CREATE TABLE dependency (
  issue TEXT NOT NULL, target TEXT NOT NULL, type TEXT NOT NULL, created_at TEXT, created_by TEXT,
  PRIMARY KEY (issue, target, type)
) STRICT, WITHOUT ROWID;
INSERT INTO dependency
  SELECT o.issue, d.value->>'to', d.value->>'type', o.at, o.by
  FROM parsed o, json_each(o.deps) d WHERE o.deps IS NOT NULL ORDER BY 1, 2, 3;
CREATE TABLE comment (
  issue TEXT NOT NULL, created_at TEXT NOT NULL, id TEXT NOT NULL, author TEXT, text TEXT,
  PRIMARY KEY (issue, created_at, id)
) STRICT, WITHOUT ROWID;
INSERT INTO comment
  SELECT issue, at, id, by, comment FROM parsed WHERE do = 'comment' ORDER BY 1, 2, 3;
CREATE INDEX dependency_target ON dependency (target, type, issue);
WITH RECURSIVE derived (id) AS (
  SELECT d.issue FROM dependency d
  JOIN issue i ON i.id = d.issue AND i.status <> 'closed'
  JOIN issue t ON t.id = d.target AND t.status <> 'closed'
  WHERE d.type = 'blocks'
  UNION
  SELECT d.issue FROM derived p
  JOIN dependency d ON d.target = p.id AND d.type = 'parent-child'
  JOIN issue i ON i.id = d.issue AND i.status <> 'closed'
)
UPDATE issue SET blocked = 1 WHERE id IN derived;
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
COMMIT;
PRAGMA journal_mode = WAL;
