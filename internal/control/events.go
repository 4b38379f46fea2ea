package control

import (
	"encoding/json"
	"sync"
	"time"
)

// The kinds of events.
const (
	AppliedEvent = "applied" // operations came to the database: Applied
	SyncEvent    = "sync"    // a cycle or an exchange has ended: Synced
	HealthEvent  = "health"  // another state than before: HealthChange
)

// Event is something that happened. IDs count up from 1 in a daemon's life; a
// gap means that events were missed.
type Event struct {
	ID   uint64          `json:"id"`
	Kind string          `json:"event"`
	Data json.RawMessage `json:"data"`
}

// Applied is the data of an AppliedEvent, whoever brought the operations.
type Applied struct {
	Time       time.Time `json:"time"`
	Operations int64     `json:"operations"`
	Issues     []string  `json:"issues"` // the first that they are about, each once
	More       bool      `json:"more"`   // there are further ones
}

// Synced is the data of a SyncEvent. Report says what a cycle moved since the
// one before, and is nil for an exchange; Exchange is nil for a cycle.
type Synced struct {
	Time     time.Time `json:"time"`
	Report   *Report   `json:"report,omitempty"`
	Exchange *Exchange `json:"exchange,omitempty"`
	Error    string    `json:"error"`
}

// HealthChange is the data of a HealthEvent.
type HealthChange struct {
	Time time.Time `json:"time"`
	Health
}

// maxBehind is how many events a reader may be behind before it is dropped.
const maxBehind = 64

// Hub hands events to subscribers without ever waiting for one. Its zero value
// is ready.
type Hub struct {
	mu      sync.Mutex // guards what follows; nothing is called under it
	last    uint64
	readers map[chan Event]struct{}
	closed  bool
}

// Publish sends data, as JSON, to everyone who listens.
func (h *Hub) Publish(kind string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	for reader := range h.readers {
		select {
		case reader <- Event{ID: h.last, Kind: kind, Data: text}:
		default:
			delete(h.readers, reader)
			close(reader)
		}
	}
	return nil
}

// Subscribe is Handler's.
func (h *Hub) Subscribe() (events <-chan Event, cancel func()) {
	reader := make(chan Event, maxBehind)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(reader)
		return reader, func() {}
	}
	if h.readers == nil {
		h.readers = map[chan Event]struct{}{}
	}
	h.readers[reader] = struct{}{}
	return reader, func() { h.drop(reader) }
}

func (h *Hub) drop(reader chan Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, there := h.readers[reader]; there {
		delete(h.readers, reader)
		close(reader)
	}
}

// Close ends every subscription, those to come too.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for reader := range h.readers {
		delete(h.readers, reader)
		close(reader)
	}
}
