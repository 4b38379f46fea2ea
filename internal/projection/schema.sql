-- The schema of the read model. Statements are separated by a blank line; lines that start with two hyphens are
-- cut before a statement is executed, so that sqlite_schema holds exactly the text below (schema.go compares it).
-- Times are microseconds since 1970, UTC. Ids of operations are their 16 bytes. A `*_index` statement is executed
-- after a rebuild has loaded the rows; constraints are there from the start.

-- What the database knows of itself: workspace, inode, device, fold.
CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID

-- How far each copy of the log was read. Inode and device are unsigned numbers kept as signed ones.
CREATE TABLE cursor (
  copy TEXT NOT NULL PRIMARY KEY,
  device INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  size INTEGER NOT NULL,
  mtime INTEGER NOT NULL,
  ctime INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  lines INTEGER NOT NULL,
  tail BLOB NOT NULL CHECK (length(tail) = 32)
) STRICT, WITHOUT ROWID

-- Every line verbatim. counts = 0 marks a line that loses against another line of the same id. legacy marks import
-- operations that carry an upstream record.
CREATE TABLE operation (
  seq INTEGER PRIMARY KEY,
  id BLOB NOT NULL CHECK (length(id) = 16),
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  issue TEXT NOT NULL,
  counts INTEGER NOT NULL CHECK (counts IN (0, 1)),
  summed INTEGER NOT NULL CHECK (summed IN (0, 1)),
  legacy INTEGER NOT NULL CHECK (legacy IN (0, 1)),
  line BLOB NOT NULL,
  UNIQUE (id, hash)
) STRICT

CREATE INDEX operation_issue_index ON operation (issue, id, counts, legacy)

CREATE INDEX operation_lost_index ON operation (id, issue) WHERE counts = 0

-- One row for each issue that any operation names, also hidden ones. Their numbers are 1, 2, 3 without gaps, so that
-- the greatest of them is how many there are. The short columns come first, so that a list
-- does not read the overflow pages of long texts. issue_ready_index begins with two columns that never vary in it:
-- otherwise the planner would take issue_status_index. issue_all_index and issue_live_index have all that the usual
-- lists show, so that these read a few pages and not one or two for each issue. labels is what table label says of the issue, a sorted JSON array,
-- null if there are none. assignee and external_ref are null when empty: their indexes are partial.
CREATE TABLE issue (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  visible INTEGER NOT NULL CHECK (visible = (existing AND NOT deleted)),
  existing INTEGER NOT NULL CHECK (existing IN (0, 1)),
  deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
  blocked INTEGER NOT NULL CHECK (blocked IN (0, 1)),
  status TEXT NOT NULL,
  priority INTEGER NOT NULL,
  issue_type TEXT NOT NULL,
  assignee TEXT CHECK (assignee <> ''),
  owner TEXT NOT NULL,
  estimated_minutes INTEGER NOT NULL,
  external_ref TEXT CHECK (external_ref <> ''),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  closed_at INTEGER,
  due_at INTEGER,
  defer_until INTEGER,
  created_by TEXT NOT NULL,
  last_op BLOB NOT NULL,
  holder_op BLOB NOT NULL,
  holder_seen BLOB NOT NULL,
  holder_session TEXT NOT NULL,
  title TEXT NOT NULL,
  labels TEXT,
  close_reason TEXT NOT NULL,
  metadata TEXT,
  extra TEXT,
  description TEXT NOT NULL,
  design TEXT NOT NULL,
  acceptance_criteria TEXT NOT NULL,
  notes TEXT NOT NULL,
  legacy TEXT
) STRICT

CREATE INDEX issue_all_index ON issue (priority, created_at, id, status, blocked, issue_type, assignee, title, labels) WHERE visible = 1

CREATE INDEX issue_live_index ON issue (priority, created_at, id, status, blocked, issue_type, assignee, title, labels) WHERE visible = 1 AND status <> 'closed'

CREATE INDEX issue_ready_index ON issue (status, blocked, priority, created_at, id, defer_until) WHERE visible = 1 AND status = 'open' AND blocked = 0

CREATE INDEX issue_blocked_index ON issue (priority, created_at, id) WHERE visible = 1 AND blocked = 1

CREATE INDEX issue_status_index ON issue (status, priority, created_at, id) WHERE visible = 1

CREATE INDEX issue_assignee_index ON issue (assignee, priority, created_at, id) WHERE visible = 1 AND assignee IS NOT NULL

CREATE INDEX issue_type_index ON issue (issue_type, priority, created_at, id) WHERE visible = 1

CREATE INDEX issue_created_index ON issue (created_at, id) WHERE visible = 1

CREATE INDEX issue_updated_index ON issue (updated_at, id) WHERE visible = 1

CREATE INDEX issue_closed_index ON issue (closed_at, id, created_at) WHERE visible = 1 AND closed_at IS NOT NULL

CREATE INDEX issue_due_index ON issue (due_at, id) WHERE visible = 1 AND due_at IS NOT NULL

CREATE INDEX issue_defer_index ON issue (defer_until, id) WHERE visible = 1 AND defer_until IS NOT NULL

CREATE INDEX issue_hidden_index ON issue (existing, id) WHERE visible = 0

CREATE INDEX issue_external_index ON issue (external_ref) WHERE visible = 1 AND external_ref IS NOT NULL

CREATE TABLE label (
  issue TEXT NOT NULL,
  label TEXT NOT NULL,
  PRIMARY KEY (issue, label)
) STRICT, WITHOUT ROWID

CREATE INDEX label_label_index ON label (label, issue)

CREATE TABLE dependency (
  issue TEXT NOT NULL,
  target TEXT NOT NULL,
  type TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  metadata TEXT,
  PRIMARY KEY (issue, target, type)
) STRICT, WITHOUT ROWID

CREATE INDEX dependency_target_index ON dependency (target, type, issue)

CREATE TABLE comment (
  issue TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  id TEXT NOT NULL,
  author TEXT NOT NULL,
  text TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (issue, created_at, id)
) STRICT, WITHOUT ROWID

-- The fold of the workspace-wide operations.
CREATE TABLE setting (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID

-- What the fold reported.
CREATE TABLE problem (
  issue TEXT NOT NULL,
  op BLOB NOT NULL,
  kind TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (issue, op, kind, detail)
) STRICT, WITHOUT ROWID

-- Lines that could not be read, each once for each file.
CREATE TABLE quarantine (
  number INTEGER PRIMARY KEY,
  file TEXT NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  line INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  reason TEXT NOT NULL,
  raw BLOB NOT NULL,
  UNIQUE (file, hash)
) STRICT

-- Every line of the interactions log verbatim, with what a list is narrowed by. counts as for operations; parent is
-- null where there is none, so that its index is partial.
CREATE TABLE interaction (
  seq INTEGER PRIMARY KEY,
  id BLOB NOT NULL CHECK (length(id) = 16),
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  counts INTEGER NOT NULL CHECK (counts IN (0, 1)),
  created_at INTEGER NOT NULL,
  issue TEXT NOT NULL,
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  model TEXT NOT NULL,
  tool_name TEXT NOT NULL,
  label TEXT NOT NULL,
  parent BLOB CHECK (length(parent) = 16),
  line BLOB NOT NULL,
  UNIQUE (id, hash)
) STRICT

CREATE INDEX interaction_issue_index ON interaction (issue, id) WHERE issue <> ''

CREATE INDEX interaction_parent_index ON interaction (parent, id) WHERE parent IS NOT NULL

CREATE INDEX interaction_lost_index ON interaction (id, issue) WHERE counts = 0
