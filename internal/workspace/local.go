package workspace

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const localName = "local.json"

// Local is what this clone alone knows and must not lose with the database.
// It is no part of the set of operations and is never shared.
type Local struct {
	Workspace string      // random id of this copy; a database that names another is not believed
	Remote    *Remote     // who the operations are shared with; nil: nobody, nothing may leave the machine
	Claims    []Claim     // claims made here that hold, one an issue
	Lost      []LostClaim // claims made here that another clone's operations overruled, until acknowledged
	Judging   bool        // others' operations have begun to come in and Claims were not judged since

	// unknown are members that a newer bd wrote; they are kept.
	unknown map[string]json.RawMessage
}

// Remote is the decision to share: made once, explicitly, for one remote at
// one URL.
type Remote struct {
	Name string `json:"name"` // in Git's configuration
	URL  string `json:"url"`  // where it pointed when that was decided; without credentials
	Ref  string `json:"ref"`  // full name of the ref there
	Seen bool   `json:"seen"` // the ref was there once, so that its absence means it was deleted

	// Joining: operations were read off the ref's tip alone, and the history that ends
	// there is still to come.
	Joining bool `json:"joining,omitempty"`
}

// Claim is a claim that was made in this clone.
type Claim struct {
	Op      string    `json:"op"` // id of the claiming operation
	Issue   string    `json:"issue"`
	By      string    `json:"by"`
	Session string    `json:"session,omitempty"`
	At      time.Time `json:"at"`
}

// LostClaim says who holds the issue instead. What the loser had already done
// stays; Done lists it.
type LostClaim struct {
	Claim
	Reason        string    `json:"reason"`           // held, closed, deleted or released
	Holder        string    `json:"holder,omitempty"` // "" if nobody holds it
	HolderSession string    `json:"holder_session,omitempty"`
	Since         time.Time `json:"since,omitzero"`
	Done          []string  `json:"done,omitempty"` // ids of the loser's later operations on the issue
}

// Local reads what this clone alone knows. It needs no lock.
func (w *Workspace) Local() (Local, error) { return w.place.Local() }

// Local reads what the clone at p alone knows.
func (p Place) Local() (Local, error) { return loadLocal(p) }

// ChangeLocal lets fn change what this clone alone knows, under the write lock,
// and stores it atomically and durably if it differs then. The workspace's id
// is not fn's to change.
func (w *Workspace) ChangeLocal(ctx context.Context, fn func(*Local) error) (err error) {
	if w.opts.ReadOnly {
		return ErrReadOnly
	}
	s, err := w.begin(ctx, w.opts.LockTimeout)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	if _, err := s.refresh(ctx, false); err != nil {
		return err
	}
	return w.changeLocal(fn)
}

// AcknowledgeClaims forgets the lost claims of these issues; without any, all.
func (w *Workspace) AcknowledgeClaims(ctx context.Context, issues ...string) error {
	return w.ChangeLocal(ctx, func(l *Local) error {
		l.Lost = slices.DeleteFunc(l.Lost, func(c LostClaim) bool {
			return len(issues) == 0 || slices.Contains(issues, c.Issue)
		})
		return nil
	})
}

// changeLocal is ChangeLocal for who holds the write lock.
func (w *Workspace) changeLocal(fn func(*Local) error) error {
	l, err := loadLocal(w.place)
	if err != nil {
		return err
	}
	if err := fn(&l); err != nil {
		return err
	}
	if w.id != "" {
		l.Workspace = w.id
	}
	return l.store(w.place)
}

// loadLocal reads the local facts. A missing or unreadable file gives the zero
// value: the workspace then gets a new id and the database is built again,
// which loses nothing, and nothing is shared until someone says so again.
func loadLocal(p Place) (Local, error) {
	var l Local
	data, err := readRegular(p.localPath())
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	if json.Unmarshal(data, &l) != nil {
		return Local{}, nil
	}
	return l, nil
}

// newLocal draws a workspace id and stores it. The caller holds the write lock.
func newLocal(p Place, random io.Reader) (Local, error) {
	if random == nil {
		random = rand.Reader
	}
	l, err := loadLocal(p)
	if err != nil {
		return Local{}, err
	}
	id := make([]byte, 16)
	if _, err := io.ReadFull(random, id); err != nil {
		return Local{}, fmt.Errorf("workspace id: %w", err)
	}
	l.Workspace = hex.EncodeToString(id)
	return l, l.store(p)
}

// members are the JSON members of l that this version knows.
func (l *Local) members() map[string]any {
	return map[string]any{"workspace": &l.Workspace, "remote": &l.Remote, "claims": &l.Claims, "lost_claims": &l.Lost, "judging": &l.Judging}
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *Local) UnmarshalJSON(data []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	for name, value := range l.members() {
		raw, has := all[name]
		if !has {
			continue
		}
		if err := json.Unmarshal(raw, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		delete(all, name)
	}
	l.unknown = all
	return nil
}

// MarshalJSON implements json.Marshaler.
func (l Local) MarshalJSON() ([]byte, error) {
	all := map[string]any{"workspace": l.Workspace}
	for name, value := range l.unknown {
		all[name] = value
	}
	if l.Remote != nil {
		all["remote"] = l.Remote
	}
	if len(l.Claims) > 0 {
		all["claims"] = l.Claims
	}
	if len(l.Lost) > 0 {
		all["lost_claims"] = l.Lost
	}
	if l.Judging {
		all["judging"] = true
	}
	return json.Marshal(all)
}

// store writes the local facts durably, unless the file says them already.
func (l Local) store(p Place) error {
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	data = append(data, '\n')
	if have, err := readRegular(p.localPath()); err == nil && bytes.Equal(have, data) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(p.localPath()), 0o700); err != nil {
		return err
	}
	return writeAtomic(p.localPath(), data)
}
