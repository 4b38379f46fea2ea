package op

import (
	"encoding/json"
	"time"
)

// Version is the format version that this program writes and understands.
const Version = 1

// MaxLine and MaxDepth bound one line: its bytes without the line end, and
// the nesting of its JSON.
const (
	MaxLine  = 1 << 20
	MaxDepth = 32
)

// Verbs that decide something in the fold. Any other verb applies by its
// members alone.
const (
	DoCreate  = "create"
	DoImport  = "import"
	DoDelete  = "delete"
	DoRestore = "restore"
)

// Verbs that are written for people and for the audit.
const (
	DoUpdate  = "update"
	DoClaim   = "claim"
	DoUnclaim = "unclaim"
	DoClose   = "close"
	DoReopen  = "reopen"
	DoLabel   = "label"
	DoDep     = "dep"
	DoComment = "comment"
	DoInit    = "init"
	DoConfig  = "config"
)

// Operation is one change, decoded. Set, Append, Add and Remove hold the
// members as they were read, also those this version does not know.
type Operation struct {
	ID      ID
	V       int
	Do      string
	Issue   string // "" on workspace-wide operations
	At      time.Time
	By      string
	Session string
	If      *Condition
	Set     map[string]json.RawMessage // field -> value; null clears
	Remove  *Elements
	Add     *Elements
	Append  map[string]string

	Comment       *CommentText
	CommentEdit   *CommentText
	CommentDelete *CommentText
	Legacy        json.RawMessage // an upstream snapshot record in canonical form

	// Unknown holds top-level members this version does not know, as read.
	Unknown map[string]json.RawMessage
}

// Condition is what must hold in the fold for the operation to count.
type Condition struct {
	Unassigned bool
	Lease      int64 // seconds; meaningful with Unassigned
	Unset      bool
	// Unknown is set when the condition has a member this version does not
	// know. Such an operation is treated like one of a greater version.
	Unknown bool
	Raw     json.RawMessage // as read; nil for a condition made here
}

// Elements are what add and remove name.
type Elements struct {
	Labels  []string
	Deps    []Dep
	Unknown map[string]json.RawMessage // collections this version does not know
}

// Dep names a dependency by To and Type.
type Dep struct {
	To       string
	Type     string
	Metadata json.RawMessage // nil if none
}

// CommentText is the value of comment (Text), comment_edit (Ref, Text) and
// comment_delete (Ref).
type CommentText struct {
	Ref  string
	Text string
}
