package workspace_test

import (
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLossOfCopies takes copies away in every way that people and scripts have
// found, and asks again.
func TestLossOfCopies(t *testing.T) {
	tests := []struct {
		name string
		do   func(f *fixture, p workspace.Place)
	}{
		{"log removed", func(f *fixture, p workspace.Place) { f.remove(p.LogPath()) }},
		{"log emptied", func(f *fixture, p workspace.Place) { f.write(p.LogPath(), "") }},
		{"log truncated to an older state", func(f *fixture, p workspace.Place) {
			lines := strings.SplitAfter(f.read(p.LogPath()), "\n")
			f.write(p.LogPath(), strings.Join(lines[:2], ""))
		}},
		{"log sorted by another tool", func(f *fixture, p workspace.Place) {
			lines := strings.Split(strings.TrimSpace(f.read(p.LogPath())), "\n")
			slices.Reverse(lines)
			f.write(p.LogPath(), strings.Join(lines, "\n"))
		}},
		{"log replaced by rename", func(f *fixture, p workspace.Place) {
			f.write(p.LogPath()+".new", "")
			if err := os.Rename(p.LogPath()+".new", p.LogPath()); err != nil {
				f.t.Fatal(err)
			}
		}},
		{"a line edited in place", func(f *fixture, p workspace.Place) {
			f.write(p.LogPath(), strings.Replace(f.read(p.LogPath()), "two", "2!!", 1))
		}},
		{"guard copy removed", func(f *fixture, p workspace.Place) { f.remove(p.GuardPath()) }},
		{"guard copy and workspace id removed", func(f *fixture, p workspace.Place) { f.remove(p.Guard) }},
		{".beads removed", func(f *fixture, p workspace.Place) { f.remove(p.Dir) }},
		{"database removed", func(f *fixture, p workspace.Place) { f.remove(p.DB + "*") }},
		{"database without its WAL", func(f *fixture, p workspace.Place) { f.remove(p.DB+"-wal", p.DB+"-shm") }},
		{"database emptied", func(f *fixture, p workspace.Place) { f.write(p.DB, "") }},
		{"database of rubbish", func(f *fixture, p workspace.Place) { f.write(p.DB, strings.Repeat("rubbish ", 4096)) }},
		{"a directory in the database's place", func(f *fixture, p workspace.Place) {
			f.remove(p.DB + "*")
			if err := os.MkdirAll(filepath.Join(p.DB, "x"), 0o700); err != nil {
				f.t.Fatal(err)
			}
		}},
		{"database copied over itself", func(f *fixture, p workspace.Place) {
			data := f.read(p.DB)
			f.remove(p.DB + "*")
			f.write(p.DB, data)
		}},
		{"log emptied and database removed", func(f *fixture, p workspace.Place) {
			f.write(p.LogPath(), "")
			f.remove(p.DB + "*")
		}},
		{"log emptied and database corrupt", func(f *fixture, p workspace.Place) {
			f.write(p.LogPath(), "")
			f.remove(p.DB+"-wal", p.DB+"-shm")
			f.write(p.DB, strings.Repeat("rubbish ", 4096))
		}},
		{"log and guard copy emptied", func(f *fixture, p workspace.Place) {
			f.write(p.LogPath(), "")
			f.write(p.GuardPath(), "")
		}},
		{"log emptied, everything in the common directory removed", func(f *fixture, p workspace.Place) {
			f.write(p.LogPath(), "")
			f.remove(p.Guard)
		}},
		{"guard copy and database removed", func(f *fixture, p workspace.Place) { f.remove(p.GuardPath(), p.DB+"*") }},
		{"locks removed", func(f *fixture, p workspace.Place) { f.remove(p.LockPath(), p.DaemonLock()) }},
		{"git clean -fdx", func(f *fixture, _ workspace.Place) { f.git("clean", "-fdxq") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.file("one", "two", "three")
			tt.do(f, f.place())
			f.want("one", "three", "two")
			f.file("four")
			f.want("four", "one", "three", "two")
			f.equalCopies()
		})
	}
}

// TestForeignInput appends to or rewrites the log as other tools do.
func TestForeignInput(t *testing.T) {
	const good = "bd-aaaaaaaaaa"
	tests := []struct {
		name        string
		content     func(f *fixture) string
		want        []string
		quarantined int
	}{
		{"a valid line", func(f *fixture) string { return createLine(f, good, "new") + "\n" }, []string{"new", "one"}, 0},
		{"without a final newline", func(f *fixture) string { return createLine(f, good, "new") }, []string{"new", "one"}, 0},
		{"CRLF and BOM", func(f *fixture) string { return "\ufeff" + createLine(f, good, "new") + "\r\n" }, []string{"new", "one"}, 0},
		{"two glued", func(f *fixture) string {
			return createLine(f, good, "new") + createLine(f, "bd-bbbbbbbbbb", "newer") + "\n"
		}, []string{"new", "newer", "one"}, 0},
		{"conflict markers", func(f *fixture) string {
			return "<<<<<<< ours\n" + createLine(f, good, "ours") + "\n=======\n" + createLine(f, "bd-bbbbbbbbbb", "theirs") + "\n>>>>>>> theirs\n"
		}, []string{"one", "ours", "theirs"}, 3},
		{"rubbish around a good line", func(f *fixture) string {
			return "not json\n" + createLine(f, good, "new") + "\n{\"op\":1}\n\x00\x00\x00\n[1,2]\n"
		}, []string{"new", "one"}, 4},
		{"duplicate keys", func(*fixture) string { return `{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","op":"x"}` + "\n" }, []string{"one"}, 1},
		{"deep nesting", func(*fixture) string {
			return `{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "}\n"
		}, []string{"one"}, 1},
		{"a giant line", func(f *fixture) string {
			return strings.Repeat("x", 3<<20) + "\n" + createLine(f, good, "new") + "\n"
		}, []string{"new", "one"}, 1},
		{"a torn last line", func(f *fixture) string { return createLine(f, good, "new")[:60] }, []string{"one"}, 0},
		{"wrong types are ignored in the fold", func(f *fixture) string {
			return f.line(op.Operation{Do: op.DoCreate, Issue: good, Set: map[string]json.RawMessage{
				"title": op.Str("new"), "priority": json.RawMessage(`"high"`)}}) + "\n"
		}, []string{"new", "one"}, 0},
		{"a newer version is kept and not applied", func(f *fixture) string {
			return `{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","v":9,"do":"create","issue":"bd-zzzzzzzzzz","hyper":{}}` + "\n"
		}, []string{"one"}, 0},
		{"the same operation twice", func(f *fixture) string {
			line := createLine(f, good, "new") + "\n"
			return line + line
		}, []string{"new", "one"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.file("one")
			log, err := os.OpenFile(f.place().LogPath(), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := log.WriteString(tt.content(f)); err != nil {
				t.Fatal(err)
			}
			log.Close()
			f.want(tt.want...)
			w := f.open()
			defer w.Close()
			err = w.View(t.Context(), func(q *projection.Query) error {
				n, err := q.QuarantineCount()
				if n != tt.quarantined {
					t.Errorf("%d lines quarantined, want %d", n, tt.quarantined)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			f.file("zzz")
			f.want(append(slices.Clone(tt.want), "zzz")...)
			if tt.name != "a torn last line" && !strings.Contains(f.read(f.place().LogPath()), tt.content(f)[:1]) {
				t.Error("foreign bytes are gone from the log")
			}
			f.equalCopies()
		})
	}
}

// TestGreatestIDs: ids at the end of the clock's range hurt their own issue
// only.
func TestGreatestIDs(t *testing.T) {
	f := newFixture(t)
	id := f.file("one")[0]
	greatest := op.MinID(time.Date(2199, 12, 31, 23, 59, 59, 999e6, time.UTC))
	for i := 6; i < len(greatest); i++ {
		greatest[i] = 0xff
	}
	f.write(f.place().LogPath(), f.read(f.place().LogPath())+f.line(op.Operation{
		ID: greatest, Do: op.DoUpdate, Issue: id, Set: map[string]json.RawMessage{"title": op.Str("poisoned")},
	})+"\n")
	f.want("poisoned")
	w := f.open()
	defer w.Close()
	_, err := w.Commit(t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
		return []workspace.Draft{{Op: &op.Operation{Do: op.DoUpdate, Issue: id, Set: map[string]json.RawMessage{"title": op.Str("x")}}}}, nil
	})
	if err == nil || !strings.Contains(fmt.Sprint(err), "clock") {
		t.Errorf("change of the poisoned issue: %v, want a clock error", err)
	}
	f.file("two")
	f.want("poisoned", "two")
	f.equalCopies()
}
