package metrics

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// exposition is what the checker reads: the samples of every family.
type exposition map[string]*family

type family struct {
	kind, unit, help string
	samples          []sample
}

type sample struct {
	name, le string
	value    float64
}

var (
	nameShape   = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	sampleShape = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{le="([^"\\\n]+)"\})? ([^ ]+)$`)
	canonical   = regexp.MustCompile(`^([0-9]+\.[0-9]+|\+Inf)$`)
	suffixes    = map[string][]string{"gauge": {""}, "counter": {"_total"}, "histogram": {"_bucket", "_count", "_sum"}}
)

// read is a strict reader of OpenMetrics 1.0, as far as this package uses it:
// everything that the specification does not allow is an error, and so is what
// is not used.
func read(text string) (exposition, error) {
	body, ok := strings.CutSuffix(text, "# EOF\n")
	if !ok {
		return nil, fmt.Errorf("it does not end in # EOF and a line feed")
	}
	all, current := exposition{}, ""
	for line := range strings.SplitSeq(strings.TrimSuffix(body, "\n"), "\n") {
		var err error
		if rest, meta := strings.CutPrefix(line, "# "); meta {
			current, err = all.meta(rest, current)
		} else {
			err = all.sample(line, current)
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
	}
	for name, f := range all {
		if err := f.check(name); err != nil {
			return nil, fmt.Errorf("family %s: %w", name, err)
		}
	}
	return all, nil
}

// meta takes a line about a family. The lines of a family stand together, and
// before its samples.
func (all exposition) meta(line, current string) (string, error) {
	what, rest, _ := strings.Cut(line, " ")
	name, value, ok := strings.Cut(rest, " ")
	if !ok || !nameShape.MatchString(name) || value == "" {
		return "", fmt.Errorf("bad line")
	}
	if name != current && all[name] != nil {
		return "", fmt.Errorf("the family comes a second time")
	}
	if all[name] == nil {
		all[name] = &family{}
	}
	f := all[name]
	if len(f.samples) > 0 {
		return "", fmt.Errorf("it follows samples")
	}
	field := map[string]*string{"TYPE": &f.kind, "UNIT": &f.unit, "HELP": &f.help}[what]
	if field == nil || *field != "" {
		return "", fmt.Errorf("unknown or a second time")
	}
	*field = value
	return name, nil
}

func (all exposition) sample(line, current string) error {
	m := sampleShape.FindStringSubmatch(line)
	f := all[current]
	if m == nil || f == nil {
		return fmt.Errorf("not a sample of a family")
	}
	suffix, ok := strings.CutPrefix(m[1], current)
	if !ok || !slices.Contains(suffixes[f.kind], suffix) || (m[2] != "") != (suffix == "_bucket") {
		return fmt.Errorf("not a sample of a %s %s", f.kind, current)
	}
	value, err := strconv.ParseFloat(m[3], 64)
	if err != nil || math.IsNaN(value) || f.kind != "gauge" && value < 0 {
		return fmt.Errorf("bad value")
	}
	if slices.ContainsFunc(f.samples, func(s sample) bool { return s.name == m[1] && s.le == m[2] }) {
		return fmt.Errorf("a second time")
	}
	f.samples = append(f.samples, sample{m[1], m[2], value})
	return nil
}

func (f *family) check(name string) error {
	switch {
	case f.kind == "" || f.help == "":
		return fmt.Errorf("no type or no help")
	case f.unit != "" && !strings.HasSuffix(name, "_"+f.unit):
		return fmt.Errorf("the name does not end in its unit")
	case f.kind != "histogram" && len(f.samples) != 1:
		return fmt.Errorf("%d samples", len(f.samples))
	case f.kind != "histogram":
		return nil
	}
	last, bound, count, sum := -1.0, math.Inf(-1), -1.0, -1.0
	for _, s := range f.samples {
		switch {
		case strings.HasSuffix(s.name, "_count"):
			count = s.value
		case strings.HasSuffix(s.name, "_sum"):
			sum = s.value
		default:
			le, err := strconv.ParseFloat(s.le, 64)
			if err != nil || !canonical.MatchString(s.le) || le <= bound || s.value < last || s.value != math.Trunc(s.value) {
				return fmt.Errorf("bucket %s: not canonical, not ascending or not cumulative", s.le)
			}
			last, bound = s.value, le
		}
	}
	if !math.IsInf(bound, 1) || count != last || sum < 0 {
		return fmt.Errorf("no +Inf bucket, or it is not the count, or no sum")
	}
	return nil
}

func TestOpenMetrics(t *testing.T) {
	for name, s := range map[string]*Set{"new": New(start), "full": full()} {
		if _, err := read(s.Snapshot().OpenMetrics()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	all, err := read(full().Snapshot().OpenMetrics())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{
		"bd_start_time_seconds": float64(start.Unix()), "bd_sync": 2, "bd_sync_error": 1, "bd_sync_time_seconds": 0.04,
		"bd_last_sync_time_seconds": 0.01, "bd_average_sync_time_seconds": 0.02,
		"bd_operations_applied": 8, "bd_operations_published": 5, "bd_operations_fetched": 3,
		"bd_queue_depth": 3, "bd_quarantine_size": 4, "bd_memory_usage_bytes": 45e6, "bd_memory_peak_bytes": 60e6,
		"bd_cpu_usage_ratio": 0.025, "bd_cpu_seconds": 1.25,
	} {
		f := all[name]
		if f == nil || f.samples[0].value != want {
			t.Errorf("%s is %+v, want %g", name, f, want)
		}
		delete(all, name)
	}
	if len(all) != 2 || all["bd_refresh_seconds"] == nil || all["bd_exchange_seconds"] == nil {
		t.Errorf("left are %v, want the two histograms", all)
	}
}

// TestReadIsStrict: the checker itself refuses what it is there to find.
func TestReadIsStrict(t *testing.T) {
	const gauge = "# TYPE g gauge\n# HELP g h\ng 1\n"
	const histogram = "# TYPE h histogram\n# HELP h h\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_count 2\nh_sum 3\n"
	for about, text := range map[string]string{
		"no end":               gauge,
		"something after it":   gauge + "# EOF\n\n",
		"a blank line":         gauge + "\n# EOF\n",
		"a family twice":       gauge + histogram + gauge + "# EOF\n",
		"no help":              "# TYPE g gauge\ng 1\n# EOF\n",
		"a counter's name":     strings.ReplaceAll(gauge, "gauge", "counter") + "# EOF\n",
		"a unit not in it":     "# UNIT g seconds\n" + gauge + "# EOF\n",
		"no number":            strings.Replace(gauge, "g 1", "g one", 1) + "# EOF\n",
		"no family":            gauge + "x 1\n# EOF\n",
		"a sample twice":       gauge + "g 1\n# EOF\n",
		"no infinite bucket":   strings.Replace(histogram, "h_bucket{le=\"+Inf\"} 2\n", "", 1) + "# EOF\n",
		"buckets that sink":    strings.Replace(histogram, "\"1.0\"} 1", "\"1.0\"} 3", 1) + "# EOF\n",
		"a bound not in form":  strings.Replace(histogram, "1.0", "1", 1) + "# EOF\n",
		"a count of its own":   strings.Replace(histogram, "h_count 2", "h_count 3", 1) + "# EOF\n",
		"metadata too late":    gauge + "# UNIT g x\n# EOF\n",
		"a label that is none": strings.Replace(gauge, "g 1", "g{a=\"b\"} 1", 1) + "# EOF\n",
	} {
		if _, err := read(text); err == nil {
			t.Errorf("%s: accepted\n%s", about, text)
		}
	}
	if _, err := read(gauge + histogram + "# EOF\n"); err != nil {
		t.Error(err)
	}
}
