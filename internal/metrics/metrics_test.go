package metrics

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// full is a set in which every metric differs from every other.
func full() *Set {
	s := New(start)
	s.Synced(30*time.Millisecond, false)
	s.Synced(10*time.Millisecond, true)
	s.Refreshed(time.Millisecond)
	s.Refreshed(time.Millisecond + 1)
	s.Refreshed(2 * time.Minute)
	s.Applied(7)
	s.Applied(1)
	s.Exchanged(700*time.Millisecond, 5, 3)
	s.Queued(2)
	s.Waits()
	at := start.Add(time.Minute)
	s.Sample(Gauges{MemoryUsage: 45e6, MemoryPeak: 60e6, CPUUsage: 2.5, CPUSeconds: 1.25, QuarantineSize: 4, SampledAt: &at})
	return s
}

func TestSnapshot(t *testing.T) {
	got := full().Snapshot()
	if got.SyncCount != 2 || got.ErrorCount != 1 || got.LastSyncTime != 10*time.Millisecond || got.TotalSyncTime != 40*time.Millisecond || got.AverageSyncTime != 20*time.Millisecond {
		t.Errorf("cycles: %+v", got)
	}
	if got.Applied != 8 || got.Published != 5 || got.Fetched != 3 || got.QueueDepth != 3 {
		t.Errorf("operations and queue: %+v", got)
	}
	for i, want := range map[int]int64{0: 1, 1: 2, 14: 2, 15: 3} {
		if b := got.RefreshSeconds.Buckets[i]; b.Count != want {
			t.Errorf("refreshes of at most %s: %d, want %d", b.Bound, b.Count, want)
		}
	}
	if h := got.RefreshSeconds; h.Count != 3 || math.Abs(h.Sum-120.002) > 1e-6 || len(h.Buckets) != len(bounds)+1 {
		t.Errorf("refreshes: %+v", h)
	}
	if empty := New(start).Snapshot(); empty.AverageSyncTime != 0 || empty.RefreshSeconds.Count != 0 {
		t.Errorf("nothing counted: %+v", empty)
	}
}

// TestJSON pins the names that others rely on, and that it reads back whole.
func TestJSON(t *testing.T) {
	shot := full().Snapshot()
	data, err := json.Marshal(shot)
	if err != nil {
		t.Fatal(err)
	}
	var names map[string]json.RawMessage
	if err := json.Unmarshal(data, &names); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"sync_count": "2", "last_sync_time": "10000000", "total_sync_time": "40000000", "average_sync_time": "20000000",
		"error_count": "1", "memory_usage": "45000000", "cpu_usage": "2.5",
		"operations_applied": "8", "operations_published": "5", "operations_fetched": "3", "queue_depth": "3", "quarantine_size": "4",
	} {
		if got := string(names[name]); got != want {
			t.Errorf("%s is %q, want %s", name, got, want)
		}
	}
	for _, name := range []string{"refresh_seconds", "exchange_seconds"} {
		if names[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	var back Snapshot
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back, shot) {
		t.Errorf("read back: %v\n%+v\nwant\n%+v", err, back, shot)
	}
	if err := json.Unmarshal([]byte(`{"refresh_seconds":{"buckets":[{"le":"x"}]}}`), &back); err == nil || !strings.Contains(err.Error(), `bound "x"`) {
		t.Errorf("a bound that is none: %v", err)
	}
}

func TestQuantile(t *testing.T) {
	var c counts
	if got := c.histogram().Quantile(0.5); got != 0 {
		t.Errorf("of nothing: %s", got)
	}
	for range 90 {
		c.observe(800 * time.Microsecond)
	}
	for range 10 {
		c.observe(20 * time.Millisecond)
	}
	h := c.histogram()
	for q, most := range map[float64]time.Duration{0.5: time.Millisecond, 0.9: time.Millisecond, 0.95: 25 * time.Millisecond, 1: 25 * time.Millisecond} {
		if got := h.Quantile(q); got <= 0 || got > most {
			t.Errorf("%g: %s, want at most %s", q, got, most)
		}
	}
	c = counts{}
	c.observe(time.Hour)
	if got := c.histogram().Quantile(0.5); got != time.Minute {
		t.Errorf("beyond all bounds: %s, want the last bound", got)
	}
}

// TestConcurrent: counts from several goroutines add up.
func TestConcurrent(t *testing.T) {
	s := New(start)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				done := s.Waits()
				s.Synced(1, false)
				s.Refreshed(1)
				s.Applied(1)
				s.Exchanged(1, 1, 1)
				s.Sample(Gauges{})
				_ = s.Snapshot()
				done()
				done()
			}
		})
	}
	all.Wait()
	if got := s.Snapshot(); got.SyncCount != 800 || got.Applied != 800 || got.ExchangeSeconds.Count != 800 || got.QueueDepth != 0 {
		t.Errorf("got %+v", got)
	}
}
