package replica

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"beads/internal/git"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// LocalRef is the ref in this repository; below refPrefix is all that is ours.
const (
	LocalRef  = "refs/beads/ops"
	refPrefix = "refs/beads/"
)

// What callers branch on, beside the sentinels of package git.
var (
	// ErrDeleted: the ref was on the remote and is not any more.
	ErrDeleted = errors.New("the ref was deleted on the remote")
	// ErrMoved: the remote points elsewhere than when sharing was decided.
	ErrMoved = errors.New("the remote has another URL now")
	// ErrForeign: the ref is not an operation log of bd.
	ErrForeign = errors.New("not an operation log of bd")
	// ErrNewer: the ref is laid out in a way that this bd does not know.
	ErrNewer = errors.New("written by a newer bd")
	// ErrFlood: more came at once than Options allow.
	ErrFlood = errors.New("more than is taken at once")
	// ErrNotPinned: no remote was chosen to share with.
	ErrNotPinned = errors.New("the operations are not shared with any remote")
)

// Bounds of what one step takes from a remote.
const (
	defaultMaxOperations = 1_000_000
	maxBatchFiles        = 500_000
	defaultLockTimeout   = 30 * time.Second
)

// Options are what a process passes in.
type Options struct {
	Ref     string // on the remote; "": LocalRef
	Remote  string // configured, for the first publish; "": see Target
	Now     func() time.Time
	Rand    io.Reader
	Wait    func(context.Context, time.Duration) error // between attempts; nil: a timer
	Command string                                     // shown to those who wait for sync.lock

	// Interactions are published and taken in too. Without it those of others
	// stay in the ref, unread.
	Interactions bool

	LockTimeout   time.Duration // for sync.lock; 0: 30 s
	MaxOperations int           // unseen ones that one step takes, of each stream; 0: 1,000,000
	Notice        func(string)
	Progress      func(stage string, done, total int64)

	whole int // lines of a chunk of a history that is read whole; 0: wholeLines
}

// Replica is the replication of one workspace. Like the Workspace it is for one
// goroutine at a time.
type Replica struct {
	w    *workspace.Workspace
	git  *git.Runner
	opts Options
}

// New makes a Replica of an open workspace. runner is nil where there is no
// repository (or the workspace lies elsewhere): then there is nothing to
// replicate to, and steps only count.
func New(w *workspace.Workspace, runner *git.Runner, o Options) *Replica {
	if o.Ref == "" {
		o.Ref = LocalRef
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Wait == nil {
		o.Wait = wait
	}
	if o.LockTimeout <= 0 {
		o.LockTimeout = defaultLockTimeout
	}
	if o.MaxOperations <= 0 {
		o.MaxOperations = defaultMaxOperations
	}
	if o.whole <= 0 {
		o.whole = wholeLines
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	return &Replica{w: w, git: runner, opts: o}
}

// streams are what is replicated.
func (r *Replica) streams() []op.Stream {
	if r.opts.Interactions {
		return []op.Stream{op.Operations, op.Interactions}
	}
	return []op.Stream{op.Operations}
}

// view is a view of the workspace in which what is replicated is up to date.
func (r *Replica) view(ctx context.Context, fn func(*projection.Query) error) error {
	if r.opts.Interactions {
		return r.w.ViewAll(ctx, fn)
	}
	return r.w.View(ctx, fn)
}

// NewRunner makes the runner for the repository of a workspace; nil if it has
// none.
func NewRunner(p workspace.Place, env []string, home string) *git.Runner {
	if p.CommonDir == "" {
		return nil
	}
	return &git.Runner{GitDir: p.CommonDir, Dir: p.Root, Env: env, Home: home}
}

// wait is a timer that ends with ctx.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Moved says what a step moved of one stream.
type Moved struct {
	Published int   `json:"published"` // lines that came to our ref
	Fetched   int   `json:"fetched"`   // lines new to this workspace, from the remote
	Restored  int   `json:"restored"`  // lines new to this workspace, from our own ref
	Pushed    int64 `json:"pushed"`    // lines that came to the remote
}

// Report says what a step moved, and how things stand after it.
type Report struct {
	Published   int   `json:"published"`   // operations that came to our ref
	Fetched     int   `json:"fetched"`     // operations new to this workspace, from the remote
	Restored    int   `json:"restored"`    // operations new to this workspace, from our own ref
	Pushed      int64 `json:"pushed"`      // operations that came to the remote
	Quarantined int   `json:"quarantined"` // lines that cannot be read, not seen before

	Interactions *Moved `json:"interactions,omitempty"` // nil where they are not replicated
	Consolidated int    `json:"consolidated"`           // old files of our ref that became fewer

	ClaimsLost []workspace.LostClaim `json:"claims_lost"` // until acknowledged

	Unshared             int64  `json:"unshared"` // operations that the remote is not known to have
	UnsharedInteractions *int64 `json:"unshared_interactions,omitempty"`
	Remote               string `json:"remote,omitempty"` // the pinned one
	URL                  string `json:"url,omitempty"`    // without credentials
	Ref                  string `json:"ref,omitempty"`
	Repaired             bool   `json:"repaired"` // our ref was damaged and was made again
	Attempts             int    `json:"attempts"` // how often a push was tried

	Duration time.Duration `json:"duration_ns"`

	// Parts of Duration; 0 for what was not done.
	Fetching   time.Duration `json:"fetching_ns"`
	Publishing time.Duration `json:"publishing_ns"`
	Pushing    time.Duration `json:"pushing_ns"`
}

// Quiet reports whether nothing moved.
func (r Report) Quiet() bool {
	return r.Published == 0 && r.Fetched == 0 && r.Restored == 0 && r.Pushed == 0 && r.Quarantined == 0 && r.Consolidated == 0 && !r.Repaired &&
		(r.Interactions == nil || *r.Interactions == (Moved{}))
}

// SyncOptions choose what Sync does.
type SyncOptions struct {
	Publish bool   // share with a remote from now on, and create the ref there if need be
	Join    bool   // share with a remote from now on if it has the ref
	Remote  string // for Publish and Join; "": see Target
	NoFetch bool
	NoPush  bool
	Look    bool // look first whether what our refs need is there and sound, also if nothing is to be done
}

// Target says which remote Publish would choose and where it points: the one
// named, else the configured one, else the pinned one, else the only one, else
// origin. It is never taken from the current branch. Nothing is asked or stored.
func (r *Replica) Target(name string) (workspace.Remote, error) {
	if r.git == nil {
		return workspace.Remote{}, fmt.Errorf("publish: %w", git.ErrNotRepository)
	}
	if err := git.CheckRef(r.opts.Ref); err != nil {
		return workspace.Remote{}, err
	}
	if name == "" {
		name = r.opts.Remote
	}
	if name == "" {
		local, err := r.w.Local()
		if err != nil {
			return workspace.Remote{}, err
		}
		if local.Remote != nil {
			name = local.Remote.Name
		}
	}
	if name == "" {
		names := r.git.Remotes()
		switch {
		case len(names) == 0:
			return workspace.Remote{}, fmt.Errorf("%w: this repository has none; add one with: git remote add origin URL", git.ErrNoRemote)
		case len(names) == 1:
			name = names[0]
		default:
			name = "origin"
		}
	}
	url, _, err := r.git.RemoteURL(name)
	if err != nil {
		return workspace.Remote{}, err
	}
	return workspace.Remote{Name: name, URL: git.Redact(url), Ref: r.opts.Ref}, nil
}
