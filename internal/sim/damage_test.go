package sim

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"beads/internal/op"
)

// damage loses or spoils files of the site as people, scripts and disks do. The
// copies are brought together first, so that never all of them are lost at once;
// how they come together again is for whatever happens next.
func (s *site) damage() {
	s.heal()
	if s.chance(50) {
		s.close()
	}
	p := s.place()
	kinds := []struct {
		name string
		do   func()
	}{
		{"the database is removed", s.removeDatabase},
		{"the log is emptied", func() { s.truncate(p.LogPath(), 0) }},
		{"the log is cut", func() { s.truncate(p.LogPath(), s.rand.Int64N(s.size(p.LogPath())+1)) }},
		{"the log is removed", func() { s.remove(p.LogPath()) }},
		{"the guard copy is cut", func() { s.truncate(p.GuardPath(), s.rand.Int64N(s.size(p.GuardPath())+1)) }},
		{"the guard copy is removed", func() { s.remove(p.GuardPath()) }},
		{"log and database are removed", func() { s.remove(p.LogPath()); s.removeDatabase() }},
		{"guard copy and database are removed", func() { s.remove(p.GuardPath()); s.removeDatabase() }},
		{"log and guard copy are removed", func() { s.remove(p.LogPath(), p.GuardPath()) }},
		{"the directory is removed", func() { s.must(os.RemoveAll(p.Dir)) }},
		{"the lock files are removed", func() { s.remove(p.LockPath(), p.DaemonLock(), filepath.Join(p.Dir, "sync.lock")) }},
		{"the log is rewritten", func() { s.rewrite(p.LogPath(), false) }},
		{"the log is edited in place", func() { s.rewrite(p.LogPath(), true) }},
		{"the guard copy is rewritten", func() { s.rewrite(p.GuardPath(), false) }},
		{"the database is spoilt", func() { s.close(); s.spoil(p.DB) }},
		{"a line is appended to the log under another's id", func() { s.appendFile(p.LogPath(), s.twin()) }},
		{"something is appended to the log", func() { s.appendFile(p.LogPath(), s.stranger()) }},
		{"something is appended to the guard copy", func() { s.appendFile(p.GuardPath(), s.stranger()) }},
	}
	kind := pick(s.world, kinds)
	s.trouble("%s: %s", s.name, kind.name)
	kind.do()
}

func (w *world) remove(paths ...string) {
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			w.Fatal(err)
		}
	}
}

func (s *site) removeDatabase() {
	db := s.place().DB
	s.remove(db, db+"-wal", db+"-shm")
}

func (w *world) truncate(path string, size int64) { w.must(os.Truncate(path, size)) }

func (w *world) size(path string) int64 {
	info, err := os.Stat(path)
	w.must(err)
	return info.Size()
}

// spoil overwrites the beginning of the database.
func (s *site) spoil(path string) {
	s.remove(path+"-wal", path+"-shm")
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	s.must(err)
	_, err = file.WriteAt(bytes.Repeat([]byte("spoilt "), 30), 0)
	s.must(err)
	s.must(file.Close())
}

// appendFile appends to a log as other programs do. What is no operation begins a
// line of its own: behind a whole operation that has no line end it would make
// both unreadable.
func (w *world) appendFile(path string, data []byte) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	w.must(err)
	last := []byte("\n")
	if size := w.size(path); size > 0 {
		_, err = file.ReadAt(last, size-1)
		w.must(err)
	}
	if last[0] != '\n' && !bytes.HasPrefix(data, []byte(`{"op":"0`)) {
		data = append([]byte("\n"), data...)
	}
	_, err = file.Write(data)
	w.must(err)
	w.must(file.Close())
}

// rewrite leaves the file as an editor or a version control system may: in
// another order, without some lines or with one of them altered, with other line
// ends; as a new file or in place.
func (s *site) rewrite(path string, inPlace bool) {
	data, err := os.ReadFile(path)
	s.must(err)
	lines := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	switch s.rand.IntN(4) {
	case 0:
		slices.SortFunc(lines, bytes.Compare)
	case 1:
		s.rand.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	case 2: // an older state
		lines = lines[:s.rand.IntN(len(lines)+1)]
	case 3:
		n := s.rand.IntN(len(lines))
		lines[n] = bytes.Replace(lines[n], []byte(`"by":"`), []byte(`"by":"mallory and `), 1)
		for _, part := range op.Split(lines[n]) {
			s.garbage = append(s.garbage, string(part))
		}
	}
	end := pick(s.world, []string{"\n", "\n", "\r\n", "\n\n", " \n"})
	data = append(bytes.Join(lines, []byte(end)), pick(s.world, []string{"\n", "\r\n", ""})...)
	if s.chance(20) {
		data = append([]byte("\ufeff"), data...)
	}
	if inPlace {
		s.must(os.WriteFile(path, data, 0o600))
		return
	}
	s.must(os.WriteFile(path+".new", data, 0o600))
	s.must(os.Rename(path+".new", path))
}

// stranger is what some other program writes into a log: no operation at all,
// snapshot records, or operations of another version.
func (s *site) stranger() []byte {
	switch n := s.rand.IntN(100); {
	case n == 0:
		return s.flood()
	case n < 26:
		return []byte(s.record() + pick(s.world, []string{"\n", "", "\r\n"}))
	case n < 51:
		id := s.strangeID(s.now.UnixMilli(), 0)
		s.issues = append(s.issues, "bd-newer")
		return []byte(`{"op":"` + id.String() + `","v":2,"do":"split","issue":"bd-newer","at":"2026-11-23T00:00:00Z","by":"z","parts":[1]}` + "\n")
	case n < 76:
		return s.poison()
	default:
		bad := pick(s.world, []string{
			"<<<<<<< HEAD\n", "=======\n", ">>>>>>> other\n", "not json\n", "{\"op\":\"nonsense\",\"v\":1}\n", "\x00\x00\x00\x00",
			"\x00\x00\n", "{\"op\":\"01KAQ0T6V3R8M0X2E9F1\n", "\xff\xfe\n", "[1,2,3]\n", "\n\n",
		})
		s.garbage = append(s.garbage, string(bytes.TrimSuffix([]byte(bad), []byte("\n"))))
		return []byte(bad)
	}
}

// twin is a line with the id of another one that the site has: somebody changed
// the log by hand, sum and all.
func (s *site) twin() []byte {
	l := pick(s.world, s.lines())
	record, err := op.Read([]byte(l.text))
	s.must(err)
	if record.Op.V > op.Version {
		return nil // what is unknown is not written
	}
	record.Op.By = pick(s.world, []string{"aaron", "zoe"})
	if record.Op.Issue != "" && record.Op.Legacy == nil {
		record.Op.Set = fields("title", s.text())
	}
	text, err := op.Encode(record.Op)
	s.must(err)
	s.attempted[line{l.id, string(text)}] = true
	return append(text, '\n')
}

// strangeID is an id that no clock here made.
func (s *site) strangeID(millis int64, counter uint16) op.ID {
	var id op.ID
	binary.BigEndian.PutUint64(id[:8], uint64(millis)<<16|uint64(counter))
	binary.BigEndian.PutUint64(id[8:], s.rand.Uint64())
	return id
}

// poison is an operation with the last id that there is: its issue refuses
// changes from then on, it alone.
func (s *site) poison() []byte {
	last := op.MinID(s.now.AddDate(500, 0, 0))
	id := s.strangeID(last.Time().UnixMilli(), 1<<16-1)
	text, err := op.Encode(&op.Operation{
		ID: id, V: op.Version, Do: op.DoCreate, Issue: "bd-last", At: s.now, By: "z", Set: fields("title", "last"),
	})
	s.must(err)
	s.issues = append(s.issues, "bd-last")
	s.attempted[line{id, string(text)}] = true
	return append(text, '\n')
}

// flood are operations that append more to one issue than an issue may hold.
func (s *site) flood() []byte {
	var lines []byte
	for n := range 4 {
		id := s.strangeID(s.now.UnixMilli(), uint16(n))
		text, err := op.Encode(&op.Operation{
			ID: id, V: op.Version, Do: op.DoUpdate, Issue: "bd-flood", At: s.now, By: "z",
			Append: map[string]string{"notes": strings.Repeat(string(rune('a'+n)), 300<<10)},
		})
		s.must(err)
		s.attempted[line{id, string(text)}] = true
		lines = append(append(lines, text...), '\n')
	}
	s.issues = append(s.issues, "bd-flood")
	return lines
}
