package issue

import (
	"encoding/json"
	"time"
)

// Statuses and types with a meaning of their own. Any other string of up to
// MaxName characters is a custom one.
const (
	StatusOpen       = "open"
	StatusInProgress = "in_progress"
	StatusBlocked    = "blocked"
	StatusDeferred   = "deferred"
	StatusClosed     = "closed"

	TypeTask    = "task"
	TypeBug     = "bug"
	TypeFeature = "feature"
	TypeEpic    = "epic"
	TypeChore   = "chore"

	DepBlocks         = "blocks"
	DepParentChild    = "parent-child"
	DepRelated        = "related"
	DepDiscoveredFrom = "discovered-from"
	DepDuplicates     = "duplicates"
	DepSupersedes     = "supersedes" // held by the issue that was replaced, as upstream has it
)

// Issue is one issue as its operations made it. The zero time means "none".
// Labels are sorted; Dependencies are sorted by To, then Type; Comments are in
// order of creation, then of id.
type Issue struct {
	ID                 string
	Title              string
	Description        string
	Design             string
	AcceptanceCriteria string
	Notes              string
	Status             string
	Priority           int // 0 (most urgent) to 4
	Type               string
	Assignee           string
	Owner              string
	EstimatedMinutes   int // 0: no estimate
	ExternalRef        string
	Metadata           json.RawMessage // canonical JSON, nil if none
	CreatedAt          time.Time
	CreatedBy          string
	UpdatedAt          time.Time
	ClosedAt           time.Time
	CloseReason        string
	DueAt              time.Time
	DeferUntil         time.Time
	Labels             []string
	Dependencies       []Dependency
	Comments           []Comment
	Extra              map[string]json.RawMessage // fields this version does not know, kept and exported
}

// Dependency says that the issue which holds it depends on To. A parent-child
// dependency is held by the child and names the parent.
type Dependency struct {
	To        string
	Type      string
	CreatedAt time.Time
	CreatedBy string
	Metadata  json.RawMessage
}

// Comment is one comment. ID is the operation id that made it or, for an
// imported one, 26 hex digits derived from its content.
type Comment struct {
	ID        string
	Author    string
	Text      string
	CreatedAt time.Time
	UpdatedAt time.Time // zero: never edited
}
