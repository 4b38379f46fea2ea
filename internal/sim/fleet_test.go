package sim

import (
	"container/heap"
	"math/rand/v2"
	"time"

	"beads/internal/config"
	"beads/internal/daemon"
	"beads/internal/replica"
	"beads/internal/watch"
)

// A plan is what a fleet is asked to do, and over what.
type plan struct {
	clones   int
	hourly   float64       // operations that each makes in an hour, at any time
	length   time.Duration // for which it makes them
	down     time.Duration // for which, from the beginning, the host is out of reach
	rounds   int           // instead: so often each publishes, without a pause
	settings config.Daemon
	interval time.Duration // git.remote_interval

	host
}

// A host is where the remote is: how long git takes to ask it where the ref is,
// to fetch and to push while it has nothing else to do, how much of one of its
// cores each of these takes, and how many it has.
type host struct {
	ask, fetch, push time.Duration
	serve            time.Duration
	cores            int
}

// local is what a clone takes to unite, and to publish.
const local = 30 * time.Millisecond

// A fleet is a simulation of many clones, each with a daemon, over one remote.
// When they ask, how long they wait for quiet and after a lost race is decided
// by the code of the product; what Git would do, by the ledger.
type fleet struct {
	plan
	ledger
	rand   *rand.Rand
	random *rand.ChaCha8 // for the code of the product
	n      int           // events that were planned
	now    time.Time
	began  time.Time
	up     time.Time // when the host is within reach
	end    time.Time // of the making of operations
	events events
	cores  []time.Time // until when each is busy
	clones []*member

	versions []version // of the remote, from 1 on
	tally
}

// A member is one clone. Its exchange is the daemon's: one at a time, and what is
// asked for meanwhile is done once afterwards.
type member struct {
	*fleet
	mirror
	cycles  *watch.Debouncer
	rhythm  *daemon.Rhythm
	wake    time.Time   // when it is due to look what is due
	fresh   []time.Time // when operations were acknowledged that are not published
	sent    []time.Time // and those that are, but only here
	busy    bool
	again   bool
	attempt int
	moved   bool
	done    int // of rounds
}

// A version of the remote brought operations, which so many clones lack.
type version struct {
	made []time.Time
	left int
}

// A tally is what came of it.
type tally struct {
	asks, fetches, pushes int // connections
	won, lost             int // pushes
	given                 int // exchanges that lost every race
	made                  int
	waited                time.Duration // for the host
	there, everywhere     []time.Duration
	pushed, last          time.Time // when the last push got through, and its operations were everywhere
}

type event struct {
	at time.Time
	n  int // events of one time happen in the order in which they were planned
	do func()
}

// events is a heap.
type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].n < e[j].n
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// run plays a plan until every clone has everything.
func (p plan) run(seed uint64) *fleet {
	f := &fleet{plan: p, rand: rand.New(rand.NewPCG(seed, 0)), now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	f.began, f.up, f.end = f.now, f.now.Add(p.down), f.now.Add(p.length)
	f.cores = make([]time.Time, p.cores)
	f.versions = make([]version, 1)
	f.random = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	for range p.clones {
		asked := f.now.Add(-time.Duration(f.rand.Int64N(int64(p.interval))))
		m := &member{fleet: f, rhythm: daemon.NewRhythm(p.interval, f.random, asked),
			cycles: watch.NewDebouncer(p.settings.DebounceInterval, 0, p.settings.MaxSyncFrequency)}
		m.rhythm.Note(asked, true)
		f.clones = append(f.clones, m)
		if p.rounds > 0 {
			m.finish(true)
			continue
		}
		m.sleep()
		f.after(m.pause(), m.make)
	}
	for len(f.events) > 0 {
		e := heap.Pop(&f.events).(event)
		f.now = e.at
		e.do()
		if !f.now.Before(f.end) && len(f.everywhere) == f.made {
			break
		}
	}
	return f
}

func (f *fleet) after(d time.Duration, do func()) {
	f.n++
	heap.Push(&f.events, event{f.now.Add(d), f.n, do})
}

// call is one connection to the host: half of the way there, the wait for a
// core, what happens there, and the way back.
func (f *fleet) call(takes time.Duration, there, back func()) {
	way := max(takes-f.serve, 0) / 2
	f.after(way, func() {
		free := 0
		for n := range f.cores {
			if f.cores[n].Before(f.cores[free]) {
				free = n
			}
		}
		wait := max(f.cores[free].Sub(f.now), 0)
		f.waited += wait
		f.cores[free] = f.now.Add(wait + f.serve)
		f.after(wait+f.serve, func() {
			there()
			f.after(way, back)
		})
	})
}

// pause is how long it is to the clone's next operation.
func (m *member) pause() time.Duration {
	return time.Duration(m.rand.ExpFloat64() / m.hourly * float64(time.Hour))
}

// make acknowledges an operation.
func (m *member) make() {
	if !m.now.Before(m.end) {
		return
	}
	m.made++
	m.fresh = append(m.fresh, m.now)
	m.changed()
	m.after(m.pause(), m.make)
}

// changed notes that the log changed, as the daemon's watcher does.
func (m *member) changed() {
	m.cycles.Note(m.now)
	m.sleep()
}

// sleep plans when the daemon looks next what is due.
func (m *member) sleep() {
	wait := m.rhythm.Wait(m.now)
	if cycle, pending := m.cycles.Wait(m.now); pending {
		wait = min(wait, cycle)
	}
	if at := m.now.Add(wait); !m.wake.Equal(at) {
		m.wake = at
		m.after(wait, func() {
			if m.wake.Equal(at) {
				m.tick()
			}
		})
	}
}

func (m *member) tick() {
	cycle, asks := m.cycles.Take(m.now), m.rhythm.Take(m.now)
	m.wake = time.Time{}
	if cycle || asks {
		m.exchange()
	}
	m.sleep()
}

// exchange is Replica.Sync, as often as the daemon asks for it.
func (m *member) exchange() {
	if m.busy {
		m.again = true
		return
	}
	m.busy, m.attempt, m.moved = true, 0, false
	m.try()
}

// try is one attempt: ask, fetch if there is something, publish, push.
func (m *member) try() {
	m.attempt++
	began := m.now
	var tip int
	m.asks++
	if m.now.Before(m.up) {
		m.after(m.host.ask, m.fail)
		return
	}
	m.call(m.host.ask, func() { tip = m.version }, func() {
		if tip == m.has {
			m.after(local, func() { m.offer(began) })
			return
		}
		m.fetches++
		m.call(m.host.fetch, func() { tip = m.version }, func() {
			m.after(local, func() { m.takeIn(tip); m.offer(began) })
		})
	})
}

// takeIn unites with what was fetched; daemons take note of what it brought.
func (m *member) takeIn(tip int) {
	for n := m.has + 1; n <= tip; n++ {
		v := &m.versions[n]
		if v.left--; v.left == 0 {
			for _, made := range v.made {
				m.everywhere = append(m.everywhere, m.now.Sub(made))
			}
			m.last = m.now
			v.made = nil
		}
	}
	m.moved = true
	m.take(tip)
	m.changed()
}

// fail is an attempt that did not reach the host: it only publishes.
func (m *member) fail() {
	m.write()
	m.finish(false)
}

// write publishes what is new.
func (m *member) write() {
	if len(m.fresh) > 0 {
		m.sent, m.fresh = append(m.sent, m.fresh...), nil
		m.publish()
	}
}

// offer publishes and pushes what there is, in an attempt that began then.
func (m *member) offer(began time.Time) {
	m.write()
	if m.ahead == 0 {
		m.finish(true)
		return
	}
	m.pushes++
	var took bool
	m.call(m.host.push, func() {
		if took = m.ledger.push(&m.mirror); took {
			for _, made := range m.sent {
				m.there = append(m.there, m.now.Sub(made))
			}
			m.versions = append(m.versions, version{m.sent, len(m.clones) - 1})
			m.sent = nil
		}
	}, func() {
		if took {
			m.won++
			m.moved, m.pushed = true, m.now
			m.finish(true)
			return
		}
		m.lost++
		if m.attempt >= replica.MaxAttempts {
			m.given++
			m.finish(false)
			return
		}
		wait, _ := replica.Backoff(m.attempt, m.now.Sub(began), m.random) // ChaCha8 does not fail
		m.after(wait, m.try)
	})
}

func (m *member) finish(well bool) {
	m.rhythm.Note(m.now, well && m.moved)
	m.busy = false
	if m.done < m.rounds {
		m.done++
		m.made++
		m.fresh = append(m.fresh, m.now)
		m.again = true
	}
	if m.again {
		m.again = false
		m.exchange()
	}
	m.sleep()
}
