package projection

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"beads/internal/op"
)

func maintain(t *testing.T, db *DB) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = db.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// What the planner learns of a tracker must not lead it away from the indexes
// that the queries were written for.
func TestPlansWithStatistics(t *testing.T) {
	db := loaded(t, tracker(t, 2000))
	maintain(t, db)
	if n, err := number(db.conn, "SELECT count(*) FROM sqlite_stat1"); err != nil || n == 0 {
		t.Fatalf("%d statistics, %v", n, err)
	}
	again, err := Open(t.Context(), db.path, testWorkspace) // statistics are read when a connection begins
	if err != nil {
		t.Fatalf("a database with statistics: %v", err)
	}
	defer again.Close()
	testListPlans(t, again)
	testCountPlans(t, again)
	testOtherPlans(t, again)
}

func TestMaintainGivesBack(t *testing.T) {
	db := loaded(t, tracker(t, 500))
	for _, text := range []string{"CREATE TABLE big (content)", "INSERT INTO big VALUES (zeroblob(6000000))", "DROP TABLE big"} {
		must(t, once(db.conn, text))
	}
	must(t, db.Checkpoint())
	before, err := LookAt(db.path)
	must(t, err)
	maintain(t, db)
	after, err := LookAt(db.path)
	must(t, err)
	if after.db.Size >= before.db.Size {
		t.Errorf("%d bytes before, %d after", before.db.Size, after.db.Size)
	}
	if free, err := number(db.conn, "PRAGMA freelist_count"); err != nil || free*100 > after.db.Size/4096*wastedShare {
		t.Errorf("%d free pages left, %v", free, err)
	}
	if after.WALSize() != 0 {
		t.Errorf("%d bytes of WAL left", after.WALSize())
	}
	must(t, db.QuickCheck(t.Context()))
	maintain(t, db)
	if again, err := LookAt(db.path); err != nil || again != after {
		t.Errorf("maintenance with nothing to do wrote: %v then %v, %v", after, again, err)
	}
}

func TestMarks(t *testing.T) {
	db := newDB(t)
	before, err := LookAt(db.path)
	must(t, err)
	if _, err := Open(t.Context(), db.path, testWorkspace); err != nil {
		t.Fatal(err)
	}
	if same, err := LookAt(db.path); err != nil || same != before {
		t.Errorf("opening it changed the mark: %v", err)
	}
	applyLines(t, db, tracker(t, 1)...)
	if changed, err := LookAt(db.path); err != nil || changed == before {
		t.Errorf("a write left the mark as it was: %v", err)
	}
	f, err := os.OpenFile(db.path, os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteAt([]byte("garbage"), 5*4096)
	must(t, errors.Join(err, f.Close()))
	if missing, err := LookAt(db.path + ".none"); err != nil || missing != (Mark{}) {
		t.Errorf("of nothing: %v, %v", missing, err)
	}
}

// Commands that come one after the other, each alone, empty the WAL now and then:
// each of them reads all that is in it.
func TestWALStaysSmall(t *testing.T) {
	db := newDB(t)
	must(t, db.Checkpoint())
	emptied := 0
	for n := range 100 {
		must(t, db.Close())
		again, err := Open(t.Context(), db.path, testWorkspace)
		must(t, err)
		*db = *again
		apply(t, db, operation(n, op.DoCreate, fmt.Sprintf("bd-%d", n), "title", `"An issue"`))
		mark, err := LookAt(db.path)
		must(t, err)
		switch size := mark.WALSize(); {
		case size == 0:
			emptied++
		case size > 1<<20:
			t.Fatalf("after commit %d the WAL has %d bytes", n, size)
		}
	}
	if emptied == 0 || emptied > 20 {
		t.Errorf("emptied after %d of 100 commits", emptied)
	}
}
