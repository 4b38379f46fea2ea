package metrics

import (
	"sync"
	"time"
)

// Snapshot is every metric at one moment. Counts are since StartTime; durations
// are nanoseconds, sizes bytes. The gauges from MemoryUsage on are as they were
// at SampledAt.
type Snapshot struct {
	StartTime time.Time `json:"start_time"`

	SyncCount       int64         `json:"sync_count"`  // cycles, failed ones too
	ErrorCount      int64         `json:"error_count"` // of them
	LastSyncTime    time.Duration `json:"last_sync_time"`
	TotalSyncTime   time.Duration `json:"total_sync_time"`
	AverageSyncTime time.Duration `json:"average_sync_time"`

	Applied   int64 `json:"operations_applied"`   // to the database, whoever did it
	Published int64 `json:"operations_published"` // to the repository's own ref
	Fetched   int64 `json:"operations_fetched"`   // from the remote

	RefreshSeconds  Histogram `json:"refresh_seconds"`
	ExchangeSeconds Histogram `json:"exchange_seconds"`

	// What waits for the daemon's loop: requests of the control socket, and one
	// for each of refresh, cycle and exchange that is asked for and not begun.
	QueueDepth int64 `json:"queue_depth"`

	Gauges
}

// Gauges are what costs something to find out.
type Gauges struct {
	MemoryUsage    int64      `json:"memory_usage"` // resident
	MemoryPeak     int64      `json:"memory_peak"`  // the most that was ever resident
	CPUUsage       float64    `json:"cpu_usage"`    // percent of one processor, over the last interval or two
	CPUSeconds     float64    `json:"cpu_seconds"`  // used so far
	QuarantineSize int64      `json:"quarantine_size"`
	SampledAt      *time.Time `json:"sampled_at"` // nil: not yet
}

// Set is what a daemon counts.
type Set struct {
	mu       sync.Mutex // guards what follows; nothing is called under it
	s        Snapshot   // but for the histograms
	refresh  counts
	exchange counts
	queued   int64
	waiting  int64
}

// New makes a Set whose counts begin at start.
func New(start time.Time) *Set { return &Set{s: Snapshot{StartTime: start.UTC()}} }

// Refreshed counts one refresh, failed or not.
func (s *Set) Refreshed(took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh.observe(took)
}

// Applied counts operations that came to the database.
func (s *Set) Applied(operations int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.Applied += operations
}

// Synced counts one cycle.
func (s *Set) Synced(took time.Duration, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.SyncCount++
	if failed {
		s.s.ErrorCount++
	}
	s.s.LastSyncTime = took
	s.s.TotalSyncTime += took
}

// Exchanged counts one exchange, failed or not, and what it moved.
func (s *Set) Exchanged(took time.Duration, published, fetched int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exchange.observe(took)
	s.s.Published += int64(published)
	s.s.Fetched += int64(fetched)
}

// Queued says how many steps are asked for and not begun.
func (s *Set) Queued(steps int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queued = int64(steps)
}

// Waits counts a request that waits for the loop, until done is called.
func (s *Set) Waits() (done func()) {
	add := func(n int64) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.waiting += n
	}
	add(1)
	return sync.OnceFunc(func() { add(-1) })
}

// Sample sets the gauges.
func (s *Set) Sample(g Gauges) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.Gauges = g
}

// Snapshot is everything as it is now.
func (s *Set) Snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	shot := s.s
	if shot.SyncCount > 0 {
		shot.AverageSyncTime = shot.TotalSyncTime / time.Duration(shot.SyncCount)
	}
	shot.RefreshSeconds, shot.ExchangeSeconds = s.refresh.histogram(), s.exchange.histogram()
	shot.QueueDepth = s.queued + s.waiting
	return shot
}
