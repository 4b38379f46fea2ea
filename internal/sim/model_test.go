package sim

import (
	"bytes"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// A model is a network in memory. It carries lines from the database of one site
// to another, where they arrive as a fetch brings them (foreign lines through
// Commit), or as somebody's append to a file: late, twice, in any order, or not
// at all.
type model struct {
	*world
	packets []packet
	group   []int                    // of each site; between groups nothing gets through
	sent    map[[2]int]map[line]bool // by from and to
}

type packet struct {
	from, to int
	lines    []line
}

func newModel(w *world) network {
	return &model{world: w, group: make([]int, len(w.sites)), sent: map[[2]int]map[line]bool{}}
}

func (m *model) step() {
	switch n := m.rand.IntN(100); {
	case n < 45:
		order := m.rand.Perm(len(m.sites))
		m.send(order[0], order[1])
	case n < 88:
		m.deliver()
	case n < 95:
		for i := range m.group {
			m.group[i] = m.rand.IntN(2)
		}
		if m.chance(40) {
			clear(m.group)
		}
		m.trouble("network: groups %v", m.group)
	case n < 97 && len(m.packets) > 0:
		m.trouble("network: a packet is lost")
		m.take()
	default:
		m.copyFile()
	}
}

// send puts most of what was not sent yet on the way, and some again.
func (m *model) send(from, to int) {
	sent := m.sent[[2]int{from, to}]
	if sent == nil {
		sent = map[line]bool{}
		m.sent[[2]int{from, to}] = sent
	}
	var lines []line
	for _, l := range m.sites[from].lines() {
		if m.chance(85) != sent[l] {
			lines = append(lines, l)
			sent[l] = true
		}
	}
	if len(lines) == 0 {
		return
	}
	m.rand.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	m.note("network: %s sends %d operations to %s", m.sites[from].name, len(lines), m.sites[to].name)
	cut := m.rand.IntN(len(lines) + 1)
	for _, part := range [][]line{lines[:cut], lines[cut:]} {
		for range 1 + m.rand.IntN(5)/4 {
			m.packets = append(m.packets, packet{from, to, part})
		}
	}
}

// take removes any packet from the network.
func (m *model) take() packet {
	n := m.rand.IntN(len(m.packets))
	p := m.packets[n]
	m.packets = slices.Delete(m.packets, n, n+1)
	return p
}

func (m *model) deliver() {
	for range min(1+m.rand.IntN(3), len(m.packets)) {
		if p := m.take(); m.group[p.from] == m.group[p.to] {
			m.arrive(p)
		} else {
			m.packets = append(m.packets, p)
		}
	}
}

// arrive brings a packet to its site.
func (m *model) arrive(p packet) {
	to := m.sites[p.to]
	switch n := m.rand.IntN(100); {
	case n < 75:
		to.receive(p.lines)
	case n < 90:
		m.note("%s: %d operations are appended to the log", to.name, len(p.lines))
		to.heal() // so that there is a file
		m.appendFile(to.place().LogPath(), m.join(p.lines))
	default:
		m.note("%s: %d operations are appended to the guard copy", to.name, len(p.lines))
		to.heal()
		m.appendFile(to.place().GuardPath(), m.join(p.lines))
	}
}

// join makes the lines of a file, with what ends them in the wild.
func (m *model) join(lines []line) []byte {
	end := pick(m.world, []string{"\n", "\n", "\r\n", "\n\n", ""})
	var b bytes.Buffer
	for n, l := range lines {
		b.WriteString(l.text)
		if n < len(lines)-1 {
			b.WriteString(end)
		}
	}
	b.WriteString(pick(m.world, []string{"\n", "\n", ""}))
	return b.Bytes()
}

// receive takes lines in as a fetch does.
func (s *site) receive(lines []line) []*op.Operation {
	var records []op.Record
	for _, l := range lines {
		record, err := op.Read([]byte(l.text))
		s.must(err)
		records = append(records, record)
	}
	made, _ := s.write("receives", func(tx *workspace.Tx) ([]workspace.Draft, error) { return tx.Drafts(records) })
	return made
}

// copyFile appends the whole log of one site to another's, with whatever it
// holds.
func (m *model) copyFile() {
	from, to := m.two()
	from.heal()
	to.heal()
	data, err := os.ReadFile(from.place().LogPath())
	m.must(err)
	m.trouble("%s: the log of %s is appended to the log", to.name, from.name)
	m.appendFile(to.place().LogPath(), data)
}

// quiet delivers what is on the way, and then everything to everyone.
func (m *model) quiet() {
	clear(m.group)
	for len(m.packets) > 0 {
		m.arrive(m.take())
	}
	for round := range 2 {
		all := map[line]bool{}
		for _, s := range m.sites {
			for _, l := range s.lines() {
				all[l] = true
			}
		}
		lines := slices.SortedFunc(maps.Keys(all), func(a, b line) int { return strings.Compare(a.text, b.text) })
		for _, to := range m.sites {
			m.rand.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
			if made := to.receive(lines); round > 0 && len(made) > 0 {
				m.Errorf("%s still gets %d operations", to.name, len(made))
			}
		}
	}
}

// lines are all operations that the site holds.
func (s *site) lines() []line {
	s.Helper()
	var lines []line
	s.view(func(q *projection.Query) error {
		lines = nil
		return q.EachIn([]projection.Run{{1, math.MaxInt64}}, func(row projection.StoredLine) error {
			lines = append(lines, line{row.ID, string(row.Line)})
			return nil
		})
	})
	return lines
}

// view reads from the site.
func (s *site) view(fn func(*projection.Query) error) {
	s.Helper()
	opened, err := s.workspace()
	if err == nil {
		err = opened.View(s.Context(), fn)
	}
	if err != nil {
		s.Fatalf("%s: view: %v", s.name, err)
	}
}
