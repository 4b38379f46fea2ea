package sim

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"beads/internal/op"
)

// traceTail is how many steps a failure shows.
const traceTail = 60

// A network carries operations from one site to others.
type network interface {
	// step does one random thing to the network, or with it.
	step()
	// quiet ends all trouble and carries everything everywhere.
	quiet()
}

// A world is one run: the sites, what lies between them, and the one source of
// chance and time.
type world struct {
	testing.TB
	seed  uint64
	kind  kind
	rand  *rand.Rand
	top   string    // directory
	now   time.Time // the true time; it stands still during a step
	sites []*site
	net   network
	trace []string

	faults int // of clocks, disks, power, processes, files and the network

	issues   []string     // ids that operations may name
	comments []commentRef // that were made
	records  []string     // snapshot records that were made

	acknowledged map[line]string // to the name of the site that acknowledged it
	attempted    map[line]bool   // lines that somebody tried to write, acknowledged or not
	garbage      []string        // what was written into files and cannot be read
	export       string          // of all sites in the end
}

type commentRef struct{ issue, id string }

// A line is one line of the operation log.
type line struct {
	id   op.ID
	text string
}

// newWorld makes one without sites.
func newWorld(t testing.TB, k kind, seed uint64) *world {
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &world{
		TB: t, seed: seed, kind: k, top: top, rand: rand.New(rand.NewPCG(seed, 0)),
		now:          time.Date(2026, 11, 23, 3, 2, 0, 0, time.UTC),
		acknowledged: map[line]string{}, attempted: map[line]bool{},
	}
}

// play runs one seed to its end and checks what came of it.
func play(t testing.TB, seed uint64, k kind) *world {
	w := newWorld(t, k, seed)
	defer w.end()
	for n := range 3 + w.rand.IntN(3) {
		w.sites = append(w.sites, newSite(w, n))
	}
	w.net = k.connect(w)
	w.sites[0].change()
	steps := k.steps
	if seed%8 == 0 {
		steps *= 4
	}
	for range steps + w.rand.IntN(2*steps) {
		w.step()
	}
	w.note("quiet")
	w.net.quiet()
	w.check()
	return w
}

// end closes everything and, after a failure, says how to see it again.
func (w *world) end() {
	for _, s := range w.sites {
		s.close()
		for _, abandoned := range s.abandoned {
			_ = abandoned.Close()
		}
	}
	if w.Failed() {
		tail := w.trace[max(0, len(w.trace)-traceTail):]
		w.Logf("to run it again: go test ./internal/sim -run '%s$' -sim.seed=%d -%s=1\nits last steps:\n%s",
			w.kind.test, w.seed, w.kind.flag, strings.Join(tail, "\n"))
	}
}

// trouble notes a fault, beside which all must stay well.
func (w *world) trouble(format string, args ...any) {
	w.faults++
	w.note(format, args...)
}

// note adds a step to the trace.
func (w *world) note(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%4d %s ", len(w.trace), w.now.Format("02T15:04:05.000"))+fmt.Sprintf(format, args...))
}

// chance is true in so many of a hundred cases.
func (w *world) chance(percent int) bool { return w.rand.IntN(100) < percent }

func pick[T any](w *world, from []T) T { return from[w.rand.IntN(len(from))] }

// someone is any site.
func (w *world) someone() *site { return pick(w, w.sites) }

// two are any two different sites.
func (w *world) two() (a, b *site) {
	order := w.rand.Perm(len(w.sites))
	return w.sites[order[0]], w.sites[order[1]]
}

// step lets some time pass and something happen.
func (w *world) step() {
	w.pass()
	s := w.someone()
	switch n := w.rand.IntN(100); {
	case n < 52:
		s.change()
	case n < 56:
		w.contend()
	case n < 84:
		w.net.step()
	case n < 88:
		s.setClock()
	case n < 91:
		s.restart()
	case n < 94:
		s.underFault(s.change)
	case n < 95:
		s.losePower()
	default:
		s.damage()
	}
}

// pass lets time go on: often not at all, sometimes by just the time that a
// claim holds.
func (w *world) pass() {
	var d time.Duration
	switch n := w.rand.IntN(100); {
	case n < 25:
	case n < 55:
		d = time.Duration(1 + w.rand.IntN(20))
		d *= time.Millisecond
	case n < 80:
		d = time.Duration(w.rand.IntN(120)) * time.Second
	case n < 95:
		d = time.Duration(w.rand.IntN(90)) * time.Minute
	default:
		d = op.DefaultLease + time.Duration(w.rand.IntN(3)-1)*time.Millisecond
	}
	w.now = w.now.Add(d)
}

// contend lets two claim one issue, at one site or at two, about as far apart as
// a claim holds.
func (w *world) contend() {
	a, b := w.two()
	if w.chance(60) {
		b = a
	}
	id := w.issue()
	a.by, b.by = pick(w, people), pick(w, people)
	a.claim(id)
	w.now = w.now.Add(op.DefaultLease + time.Duration(w.rand.IntN(3)-1)*time.Millisecond)
	b.claim(id)
}

// issue is any issue that somebody made, a few of them far more often.
func (w *world) issue() string {
	if w.chance(60) {
		return w.issues[w.rand.IntN(min(3, len(w.issues)))]
	}
	return pick(w, w.issues)
}

// reached notes that a site acknowledged a line.
func (w *world) reached(s *site, id op.ID, text []byte) {
	key := line{id, string(text)}
	w.attempted[key] = true
	if w.acknowledged[key] == "" {
		w.acknowledged[key] = s.name
	}
}
