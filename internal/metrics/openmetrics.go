package metrics

import (
	"fmt"
	"strconv"
	"strings"
)

// ContentType is what OpenMetrics is called in HTTP.
const ContentType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

// OpenMetrics is the snapshot as OpenMetrics 1.0 text, in base units: seconds,
// bytes, ratios.
func (s Snapshot) OpenMetrics() string {
	var t text
	t.gauge("bd_start_time_seconds", "seconds", "When the daemon started, in seconds since 1970.", float64(s.StartTime.UnixMilli())/1e3)
	t.counter("bd_sync", "", "Sync cycles, failed ones too.", float64(s.SyncCount))
	t.counter("bd_sync_error", "", "Sync cycles that failed.", float64(s.ErrorCount))
	t.counter("bd_sync_time_seconds", "seconds", "Time spent in sync cycles.", s.TotalSyncTime.Seconds())
	t.gauge("bd_last_sync_time_seconds", "seconds", "Time that the last sync cycle took.", s.LastSyncTime.Seconds())
	t.gauge("bd_average_sync_time_seconds", "seconds", "Time that a sync cycle took on average.", s.AverageSyncTime.Seconds())
	t.counter("bd_operations_applied", "", "Operations that came to the database.", float64(s.Applied))
	t.counter("bd_operations_published", "", "Operations that came to the repository's own ref.", float64(s.Published))
	t.counter("bd_operations_fetched", "", "Operations that came from the remote.", float64(s.Fetched))
	t.histogram("bd_refresh_seconds", "seconds", "Time that refreshes of the database took.", s.RefreshSeconds)
	t.histogram("bd_exchange_seconds", "seconds", "Time that exchanges with Git and the remote took.", s.ExchangeSeconds)
	t.gauge("bd_queue_depth", "", "Requests and steps that wait for the daemon's loop.", float64(s.QueueDepth))
	if s.SampledAt != nil {
		t.gauge("bd_quarantine_size", "", "Lines in quarantine.", float64(s.QuarantineSize))
		t.gauge("bd_memory_usage_bytes", "bytes", "Resident memory.", float64(s.MemoryUsage))
		t.gauge("bd_memory_peak_bytes", "bytes", "Most memory that was ever resident.", float64(s.MemoryPeak))
		t.gauge("bd_cpu_usage_ratio", "ratio", "Share of one processor that is used.", s.CPUUsage/100)
		t.counter("bd_cpu_seconds", "seconds", "Processor time used.", s.CPUSeconds)
	}
	return t.String() + "# EOF\n"
}

// text collects metric families. A family's name ends in its unit, if it has one.
type text struct{ strings.Builder }

func (t *text) family(name, kind, unit, help string) {
	fmt.Fprintf(t, "# TYPE %s %s\n", name, kind)
	if unit != "" {
		fmt.Fprintf(t, "# UNIT %s %s\n", name, unit)
	}
	fmt.Fprintf(t, "# HELP %s %s\n", name, help)
}

func (t *text) gauge(name, unit, help string, value float64) {
	t.family(name, "gauge", unit, help)
	fmt.Fprintf(t, "%s %s\n", name, number(value))
}

func (t *text) counter(name, unit, help string, value float64) {
	t.family(name, "counter", unit, help)
	fmt.Fprintf(t, "%s_total %s\n", name, number(value))
}

func (t *text) histogram(name, unit, help string, h Histogram) {
	t.family(name, "histogram", unit, help)
	for _, b := range h.Buckets {
		fmt.Fprintf(t, "%s_bucket{le=\"%s\"} %d\n", name, b.Bound, b.Count)
	}
	fmt.Fprintf(t, "%s_count %d\n%s_sum %s\n", name, h.Count, name, number(h.Sum))
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
