package op

import (
	"encoding/json"
	"testing"
	"time"
)

// testMillis is when the operations of the tests happen, one second apart.
const testMillis = 1763866967000

func testID(n int) ID { return makeID(testMillis+int64(n)*1000, 0, uint64(n)+1) }

// fields makes a set of names and JSON values in turn.
func fields(pairs ...string) map[string]json.RawMessage {
	set := make(map[string]json.RawMessage)
	for i := 0; i < len(pairs); i += 2 {
		set[pairs[i]] = json.RawMessage(pairs[i+1])
	}
	return set
}

// operation makes the n-th operation of issue x-1, by alice, with set a JSON
// object or "".
func operation(n int, do, set string) *Operation {
	o := &Operation{ID: testID(n), V: 1, Do: do, Issue: "x-1", By: "alice"}
	o.At = o.ID.Time()
	if set != "" {
		if err := json.Unmarshal([]byte(set), &o.Set); err != nil {
			panic(err) // a mistake in the test itself
		}
	}
	return o
}

func create(n int, set string) *Operation { return operation(n, DoCreate, set) }
func update(n int, set string) *Operation { return operation(n, DoUpdate, set) }

// imported makes the import operation of the record, as the first of its issue.
func imported(t testing.TB, record string, prior ...ID) *Operation {
	t.Helper()
	r, err := Read([]byte(record))
	if err != nil {
		t.Fatalf("read record: %v", err)
	}
	o, ok := ImportOperation(r.Legacy, prior)
	if !ok {
		t.Fatal("record is held already")
	}
	return o
}

func stateJSON(t testing.TB, s State) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// at is the wall time of the n-th operation.
func at(n int) time.Time { return testID(n).Time() }
