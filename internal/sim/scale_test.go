package sim

import (
	"flag"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"beads/internal/config"
)

var scaleClones = flag.Int("sim.clones", 10, "how many clones TestScale has at most; the figures of docs/scale.md are of 1000")

// overSSH is a host some way off. What git takes there is an assumption, as is
// what it takes of the host's processors.
func overSSH() host {
	return host{
		ask: 400 * time.Millisecond, fetch: 600 * time.Millisecond, push: 800 * time.Millisecond,
		serve: 50 * time.Millisecond, cores: 8,
	}
}

// defaults is a plan for an hour with the settings that nobody changed.
func defaults(clones int, hourly float64) plan {
	return plan{
		clones: clones, hourly: hourly, length: time.Hour, settings: config.Default(), interval: 30 * time.Second, host: overSSH(),
	}
}

// TestScale prints the tables of docs/scale.md, with fewer clones unless
// -sim.clones says so, and demands that everything gets everywhere and that one
// seed gives one result.
func TestScale(t *testing.T) {
	most := *scaleClones
	var load []scaled
	for clones := 10; clones <= most; clones *= 10 {
		for _, hourly := range []float64{0.5, 6, 60} {
			load = append(load, scaled{fmt.Sprintf("%d x %v", clones, hourly), defaults(clones, hourly)})
		}
	}
	tabulate(t, "clones x operations an hour", load)

	often := func(hourly float64, interval, frequency time.Duration) scaled {
		p := defaults(most, hourly)
		p.interval, p.settings.MaxSyncFrequency = interval, frequency
		return scaled{fmt.Sprintf("%v an hour; %v, %v", hourly, interval, frequency), p}
	}
	var slower []scaled
	for _, hourly := range []float64{0.5, 6} {
		for _, times := range [][2]time.Duration{{30 * time.Second, 30 * time.Second}, {5 * time.Minute, 30 * time.Second}, {5 * time.Minute, 5 * time.Minute}, {15 * time.Minute, 15 * time.Minute}} {
			slower = append(slower, often(hourly, times[0], times[1]))
		}
	}
	tabulate(t, fmt.Sprintf("%d clones; remote_interval, max_sync_frequency", most), slower)

	outage := defaults(most, 0.5)
	outage.down = time.Hour
	near := defaults(most, 6)
	near.ask, near.fetch, near.push, near.serve = 20*time.Millisecond, 40*time.Millisecond, 50*time.Millisecond, 10*time.Millisecond
	tabulate(t, fmt.Sprintf("%d clones", most), []scaled{
		{"0.5 an hour, after an hour without the host", outage},
		{"6 an hour, on a host near by", near},
	})
}

// scaled is a row of a table.
type scaled struct {
	name string
	plan
}

func tabulate(t *testing.T, what string, rows []scaled) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "\n| %s | asked | pushed | races lost | connections/s | busy | commits | there | everywhere |\n| --- |%s\n", what, strings.Repeat(" ---: |", 8))
	for _, r := range rows {
		f, again := r.run(1), r.run(1)
		if !reflect.DeepEqual(f.tally, again.tally) {
			t.Errorf("%s: one seed gives two results", r.name)
		}
		if len(f.everywhere) != f.made || len(f.there) != f.made || f.made == 0 {
			t.Errorf("%s: of %d operations %d came to the host, %d everywhere", r.name, f.made, len(f.there), len(f.everywhere))
		}
		each := func(n int) float64 { return float64(n) / f.now.Sub(f.began).Hours() / float64(r.clones) }
		connections := float64(f.asks+f.fetches+f.pushes) / f.now.Sub(f.began).Seconds()
		fmt.Fprintf(&b, "| %s | %.0f | %.1f | %.0f %% | %.1f | %.0f %% | %.1f | %s | %s |\n", r.name,
			each(f.asks), each(f.won), 100*float64(f.lost)/float64(f.lost+f.won), connections,
			100*connections*r.serve.Seconds()/float64(r.cores), float64(f.commits)/float64(f.won), spread(f.there), spread(f.everywhere))
	}
	t.Log(b.String())
}

// spread is the median and the 99th percentile.
func spread(all []time.Duration) string {
	slices.Sort(all)
	at := func(q float64) time.Duration { return all[int(q*float64(len(all)-1))].Round(time.Second) }
	return fmt.Sprintf("%v, %v", at(0.5), at(0.99))
}
