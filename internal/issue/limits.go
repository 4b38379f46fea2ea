package issue

// The limits on what this program writes. The fold is laxer where a line of
// the log is bound anyway: it refuses a title, a name or a label over its
// limit, never a long text.
const (
	MaxTitle = 500       // characters
	MaxName  = 50        // characters of a status, an issue type or a dependency type
	MaxLabel = 100       // characters
	MaxShort = 500       // characters of an assignee, an owner or an external reference
	MaxActor = 200       // characters of the name of who acts, or of a session
	MaxID    = 100       // characters of an id chosen by a person
	MaxText  = 128 << 10 // bytes: six times as many, all escaped, still fit one line of the log

	// MaxForeignID is how long an id that came from elsewhere may be, in characters.
	MaxForeignID = 200
	// MaxEstimate is the greatest estimate, in minutes.
	MaxEstimate = 1<<31 - 1
)
