package issue

import "time"

// Filter selects issues. The zero Filter selects every visible issue. Every
// set field narrows the selection; within one field, any value matches unless
// the comment says otherwise.
type Filter struct {
	IDs           []string
	IDStart       string // an id that begins so
	Statuses      []string
	NotStatuses   []string
	Types         []string
	NotTypes      []string
	Priorities    []int
	PriorityMin   *int // inclusive, numerically
	PriorityMax   *int // inclusive, numerically
	Assignee      string
	Unassigned    bool
	Owner         string
	LabelsAll     []string // every one of them
	LabelsAny     []string
	LabelPattern  string // glob
	NoLabels      bool
	Text          string // in id, title, description, design, acceptance criteria or notes; case-insensitive
	TitleContains string
	DescContains  string
	NotesContains string
	Parent        string // a parent-child dependency on it
	NoParent      bool
	ExternalRef   string
	CreatedAfter  time.Time // inclusive, as all *After
	CreatedBefore time.Time // exclusive, as all *Before
	UpdatedAfter  time.Time
	UpdatedBefore time.Time
	ClosedAfter   time.Time
	ClosedBefore  time.Time
	DueAfter      time.Time
	DueBefore     time.Time
	DeferAfter    time.Time
	DeferBefore   time.Time
	Overdue       bool // due before Now and not closed
	Deferred      bool // defer_until after Now
	EmptyDesc     bool
	Ready         bool // open, not deferred at Now, not blocked
	Blocked       bool // not closed and blocked
	Where         Condition
	Now           time.Time // needed by Overdue, Deferred and Ready, also in Where

	Sort    Sort
	Reverse bool
	Limit   int // 0: no limit
	Offset  int
}

// Sort names an order. Ties are broken by id, so every order is total.
type Sort string

// The orders. SortDefault is priority, then the oldest first.
const (
	SortDefault  Sort = ""
	SortPriority Sort = "priority" // then newest first
	SortCreated  Sort = "created"  // newest first
	SortUpdated  Sort = "updated"  // newest first
	SortClosed   Sort = "closed"   // newest first
	SortDue      Sort = "due"      // soonest first, none last
	SortStatus   Sort = "status"
	SortID       Sort = "id"
	SortTitle    Sort = "title"
	SortType     Sort = "type"
	SortAssignee Sort = "assignee"
)
