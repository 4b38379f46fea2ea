package projection

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"beads/internal/issue"
	"beads/internal/op"
)

// smallTexts makes db write an index of many small files.
func smallTexts(db *DB) *DB {
	db.FillTextIndex()
	db.textLimits = &textLimits{part: 8, unindexed: 1, unread: 5, recent: 3, recentOfAll: 6}
	return db
}

// scan answers as a search without an index does.
func scan(t testing.TB, db *DB, f issue.Filter) string {
	t.Helper()
	return ask(t, db, func(q *Query) (string, error) {
		q.texts = nil
		rows, err := q.List(f)
		return rowIDs(rows), err
	})
}

func search(t testing.TB, db *DB, f issue.Filter) string {
	t.Helper()
	return ask(t, db, func(q *Query) (string, error) {
		rows, err := q.List(f)
		if err != nil {
			return "", err
		}
		count := f
		count.Limit, count.Offset = 0, 0
		n, err := q.Count(count)
		if f.Limit == 0 && n != len(rows) {
			return "", fmt.Errorf("%d rows, but the count is %d", len(rows), n)
		}
		return rowIDs(rows), err
	})
}

func indexFiles(t testing.TB, db *DB) []string {
	t.Helper()
	files, err := filepath.Glob(db.path + "-search-*")
	if err != nil {
		t.Fatal(err)
	}
	for n := range files {
		files[n] = strings.TrimPrefix(files[n], db.path+"-search-")
	}
	return files
}

// A search with an index answers as one without, whatever was written, erased and
// rebuilt since the index was.
func TestIndexedSearchIsTheScan(t *testing.T) {
	alphabet := rapid.SampledFrom([]rune("abABkKéÉßẞſıİσς日%_\\ "))
	texts := rapid.StringOfN(alphabet, 0, 12, -1)
	used := 0
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		db, err := buildEmpty(filepath.Join(dir, "beads.db"))
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { db.Close() }()
		smallTexts(db)
		var lines [][]byte
		rebuild := func() {
			err := db.Rebuild(context.Background(), rapid.Bool().Draw(rt, "keep"), func(tx *Tx) error {
				addLines(t, tx, lines...)
				return nil
			})
			if err != nil {
				rt.Fatal(err)
			}
		}
		rebuild()
		number := 0
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		change := func() []byte {
			name := fmt.Sprintf("bd-%d", rapid.IntRange(0, 40).Draw(rt, "issue"))
			if number++; number > 3 && rapid.IntRange(0, 7).Draw(rt, "same id") == 0 {
				// A second line of an id that is taken, which may win and belong to another issue.
				return encode(t, operation(number-1-random.IntN(3), op.DoCreate, name, "title", quoted(texts.Draw(rt, "title"))))
			}
			switch rapid.IntRange(0, 9).Draw(rt, "do") {
			case 0:
				return encode(t, operation(number, op.DoDelete, name))
			case 1:
				return encode(t, operation(number, op.DoRestore, name))
			case 2, 3:
				return encode(t, operation(number, op.DoUpdate, name, "notes", quoted(texts.Draw(rt, "notes"))))
			}
			return encode(t, operation(number, op.DoCreate, name, "title", quoted("t"+texts.Draw(rt, "title")), "description", quoted(texts.Draw(rt, "description"))))
		}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			var more [][]byte
			for range rapid.IntRange(0, 12).Draw(rt, "changes") {
				more = append(more, change())
			}
			lines = append(lines, more...)
			if rapid.IntRange(0, 9).Draw(rt, "rebuild") == 0 {
				rebuild()
			} else {
				applyLines(t, db, more...)
			}
			for range rapid.IntRange(1, 4).Draw(rt, "searches") {
				f := issue.Filter{Text: texts.Draw(rt, "text"), Limit: rapid.IntRange(0, 3).Draw(rt, "limit")}
				switch rapid.IntRange(0, 4).Draw(rt, "which") {
				case 0:
					f.TitleContains = texts.Draw(rt, "in the title")
				case 1:
					f.NotesContains, f.Text = f.Text, ""
				case 2:
					f.Text = fmt.Sprintf("D-%d", rapid.IntRange(0, 40).Draw(rt, "id"))
				}
				if got, want := search(t, db, f), scan(t, db, f); got != want {
					rt.Fatalf("%+v: found %q, not %q; files %q", f, got, want, indexFiles(t, db))
				}
			}
			used += len(indexFiles(t, db))
			dense := ask(t, db, func(q *Query) (int64, error) {
				return projectionNumber(q, "SELECT max(number) - count(*) FROM issue")
			})
			if dense != 0 {
				rt.Fatalf("the numbers of the issues have %d gaps", dense)
			}
		}
	})
	if used == 0 {
		t.Error("there was never an index")
	}
}

func projectionNumber(q *Query, text string) (int64, error) { return number(q.conn, text) }

// words makes n issues, each with a word of its own.
func words(t testing.TB, db *DB, from, n int) {
	t.Helper()
	var all []*op.Operation
	for i := from; i < from+n; i++ {
		all = append(all, operation(i, op.DoCreate, fmt.Sprintf("bd-%04d", i), "title", quoted(fmt.Sprintf("word%04d of many", i))))
	}
	apply(t, db, all...)
}

func TestIndexIsUsedAndGrows(t *testing.T) {
	db := smallTexts(newDB(t))
	words(t, db, 1, 20)
	f := issue.Filter{Text: "word0007"}
	for range 4 {
		if got := search(t, db, f); got != "0007" {
			t.Fatalf("found %q", got)
		}
	}
	if got := indexFiles(t, db); !slices.Equal(got, []string{"0", "1", "2", "lock"}) {
		t.Fatalf("files: %q", got)
	}
	words(t, db, 21, 2)
	apply(t, db, operation(50, op.DoUpdate, "bd-0003", "title", `"word9999"`))
	if got := search(t, db, issue.Filter{Text: "word9999"}); got != "0003" {
		t.Errorf("found %q before the index knows it", got)
	}
	if got := search(t, db, issue.Filter{Text: "word9999"}); got != "0003" {
		t.Errorf("found %q when the index knows it", got)
	}
	if got := indexFiles(t, db); !slices.Contains(got, "recent") {
		t.Errorf("files: %q", got)
	}
	got := ask(t, db, func(q *Query) (string, error) {
		text, args, _, err := q.listText(&f, labelled())
		if err != nil {
			return "", err
		}
		return plan(t, q, text, args...), nil
	})
	if !strings.Contains(got, "SEARCH i USING INTEGER PRIMARY KEY (rowid=?)") {
		t.Errorf("few candidates are not looked up:\n%s", got)
	}
}

// Whatever becomes of the files, the answers stay right, and the files too.
func TestIndexThatIsNone(t *testing.T) {
	other := smallTexts(newDB(t))
	words(t, other, 1, 22)
	for range 5 {
		search(t, other, issue.Filter{Text: "word0007"})
	}
	for name, spoil := range map[string]func(t *testing.T, db *DB, path string) error{
		"gone":         func(t *testing.T, db *DB, path string) error { return os.Remove(path) },
		"empty":        func(t *testing.T, db *DB, path string) error { return os.Truncate(path, 0) },
		"cut off":      func(t *testing.T, db *DB, path string) error { return os.Truncate(path, 9000) },
		"garbage":      func(t *testing.T, db *DB, path string) error { return os.WriteFile(path, make([]byte, 20000), 0o600) },
		"another's":    func(t *testing.T, db *DB, path string) error { return copyFile(other.path+"-search-0", path) },
		"another part": func(t *testing.T, db *DB, path string) error { return copyFile(db.path+"-search-1", path) },
		"a link": func(t *testing.T, db *DB, path string) error {
			return errors.Join(os.Rename(path, path+".away"), os.Symlink(path+".away", path))
		},
		"a directory": func(t *testing.T, db *DB, path string) error {
			return errors.Join(os.Remove(path), os.Mkdir(path, 0o700))
		},
		"another database": func(t *testing.T, db *DB, path string) error {
			return db.Rebuild(t.Context(), true, func(*Tx) error { return nil })
		},
	} {
		for _, file := range []string{"0", "recent"} {
			t.Run(name+" "+file, func(t *testing.T) {
				db := smallTexts(newDB(t))
				words(t, db, 1, 20)
				for range 4 {
					search(t, db, issue.Filter{Text: "word0007"})
				}
				apply(t, db, operation(50, op.DoUpdate, "bd-0003", "title", `"word9999"`), operation(51, op.DoUpdate, "bd-0012", "title", `"word8888"`))
				search(t, db, issue.Filter{Text: "word9999"})
				if err := spoil(t, db, db.path+"-search-"+file); err != nil {
					t.Fatal(err)
				}
				for range 6 {
					for text, want := range map[string]string{"word9999": "0003", "word8888": "0012", "word0007": "0007", "word0003": ""} {
						if got := search(t, db, issue.Filter{Text: text}); got != want {
							t.Fatalf("found %q for %s", got, text)
						}
					}
				}
			})
		}
	}
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}

// A power failure may take the end of the database, and the operations come again in
// another order: an index that was written meanwhile knows others by their numbers.
func TestIndexOfALostEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "beads.db")
	db, err := buildEmpty(path)
	if err != nil {
		t.Fatal(err)
	}
	words(t, smallTexts(db), 1, 20)
	must(t, db.Checkpoint())
	before, err := os.ReadFile(path)
	must(t, err)
	first, second := operation(50, op.DoUpdate, "bd-0003", "title", `"word9999"`), operation(51, op.DoUpdate, "bd-0005", "title", `"word8888"`)
	apply(t, db, first)
	for range 5 {
		search(t, db, issue.Filter{Text: "word9999"})
	}
	must(t, db.Close())
	must(t, removeCompanions(path))
	must(t, os.WriteFile(path, before, 0o600))
	if db, err = Open(t.Context(), path, testWorkspace); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	smallTexts(db)
	apply(t, db, second)
	for range 5 {
		if got := search(t, db, issue.Filter{Text: "word8888"}); got != "0005" {
			t.Fatalf("found %q", got)
		}
	}
}

// A view of an older snapshot does not believe an index of a newer one.
func TestIndexFromTheFuture(t *testing.T) {
	db := smallTexts(newDB(t))
	words(t, db, 1, 20)
	other, err := Open(t.Context(), db.path, testWorkspace)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	err = other.View(t.Context(), func(q *Query) error {
		apply(t, db, operation(50, op.DoUpdate, "bd-0003", "title", `"word9999"`))
		for range 4 {
			search(t, db, issue.Filter{Text: "word9999"})
		}
		rows, err := q.List(issue.Filter{Text: "word0003"})
		if rowIDs(rows) != "0003" {
			t.Errorf("found %q", rowIDs(rows))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Who only reads leaves no file behind, and who cannot write still finds.
func TestIndexIsNotWritten(t *testing.T) {
	db := newDB(t)
	db.textLimits = &textLimits{part: 8, unindexed: 1, unread: 5, recent: 3, recentOfAll: 6}
	words(t, db, 1, 20)
	if search(t, db, issue.Filter{Text: "word0007"}) != "0007" || len(indexFiles(t, db)) > 0 {
		t.Errorf("files: %q", indexFiles(t, db))
	}
	db.FillTextIndex()
	must(t, os.Mkdir(db.path+"-search-lock", 0o700))
	if search(t, db, issue.Filter{Text: "word0007"}) != "0007" {
		t.Error("not found without a lock")
	}
	must(t, os.Remove(db.path+"-search-lock"))
	must(t, os.Mkdir(db.path+"-search-tmp", 0o700))
	must(t, os.WriteFile(filepath.Join(db.path+"-search-tmp", "x"), nil, 0o600))
	if search(t, db, issue.Filter{Text: "word0007"}) != "0007" {
		t.Error("not found without a place to write to")
	}
	if _, err := os.Lstat(db.path + "-search-0"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("written all the same: %v", err)
	}
	// What a crash left is in nobody's way.
	must(t, os.RemoveAll(db.path+"-search-tmp"))
	must(t, os.WriteFile(db.path+"-search-tmp", []byte("half"), 0o600))
	search(t, db, issue.Filter{Text: "word0007"})
	if got := indexFiles(t, db); !slices.Equal(got, []string{"0", "lock"}) {
		t.Errorf("files: %q", got)
	}
}

// When an issue is erased, the last one takes its number.
func TestIndexOfMovedNumbers(t *testing.T) {
	db := smallTexts(newDB(t))
	words(t, db, 1, 20)
	for range 4 {
		search(t, db, issue.Filter{Text: "word0007"})
	}
	apply(t, db, operation(3, op.DoCreate, "bd-0001", "title", `"another"`)) // of two lines the smaller counts
	for range 6 {
		for text, want := range map[string]string{"word0003": "", "word0020": "0020", "word0007": "0007", "word00": ""} {
			got := search(t, db, issue.Filter{Text: text})
			if text == "word00" {
				want = scan(t, db, issue.Filter{Text: text})
			}
			if got != want {
				t.Fatalf("found %q for %s", got, text)
			}
		}
		if n := ask(t, db, func(q *Query) (int, error) { return q.Count(issue.Filter{}) }); n != 19 {
			t.Fatalf("%d issues", n)
		}
	}
}
