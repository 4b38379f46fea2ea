package projection

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"beads/internal/op"
)

func identified(t *testing.T, ids ...string) *DB {
	t.Helper()
	db := newDB(t)
	apply(t, db, operation(1, "init", "", "issue_prefix", `"bd"`, "prefix_aliases", `["old"]`))
	for n, id := range ids {
		if visible, ok := strings.CutSuffix(id, " deleted"); ok {
			apply(t, db, operation(10+n, "create", visible, "title", quoted("Title of "+visible)), operation(100+n, "delete", visible))
			continue
		}
		if hidden, ok := strings.CutSuffix(id, " hidden"); ok {
			apply(t, db, operation(10+n, "update", hidden))
			continue
		}
		apply(t, db, operation(10+n, "create", id, "title", quoted("Title of "+id)))
	}
	return db
}

func TestResolve(t *testing.T) {
	db := identified(t, "bd-x7k2m9q4t1", "bd-x7k2zzzzzz", "bd-abcd", "bd-abcd000000", "old-qqqq111111", "bd-42", "old-42", "bd-5",
		"bd-Mixed", "bd-dead000000 deleted", "my-proj-zzzz000000", "bd-hide000000 hidden", "bd-part.1", "bd-part.2")
	for name, c := range map[string]struct {
		input   string
		deleted bool
		want    string // an id, or what the error says
	}{
		"whole":                               {"bd-x7k2m9q4t1", false, "bd-x7k2m9q4t1"},
		"unique prefix":                       {"bd-x7k2m", false, "bd-x7k2m9q4t1"},
		"without the prefix":                  {"x7k2m", false, "bd-x7k2m9q4t1"},
		"in upper case":                       {"BD-X7K2M", false, "bd-x7k2m9q4t1"},
		"ambiguous":                           {"bd-x7k2", false, `ambiguous: bd-x7k2m, bd-x7k2z`},
		"exact wins over a longer one":        {"bd-abcd", false, "bd-abcd"},
		"exact without the prefix wins":       {"abcd", false, "bd-abcd"},
		"too short":                           {"bd-x7k", false, "not found"},
		"too short without the prefix":        {"x7k", false, "not found"},
		"an alias":                            {"qqqq", false, "old-qqqq111111"},
		"an alias, typed":                     {"old-qqqq", false, "old-qqqq111111"},
		"short but whole":                     {"bd-5", false, "bd-5"},
		"short but whole, without the prefix": {"5", false, "bd-5"},
		"whole under two prefixes":            {"42", false, "ambiguous: bd-42, old-42"},
		"case kept where it was typed so":     {"bd-Mixed", false, "bd-Mixed"},
		"a prefix with a dash":                {"my-proj-zzzz", false, "my-proj-zzzz000000"},
		"deleted":                             {"bd-dead000000", false, "is deleted"},
		"prefix of a deleted one":             {"bd-dead", false, "is deleted"},
		"deleted, admitted":                   {"dead", true, "bd-dead000000"},
		"not yet created":                     {"bd-hide000000", true, "not found"},
		"nothing":                             {"", false, "not found"},
		"only the prefix":                     {"bd-", false, "not found"},
		"wildcards are not":                   {"bd-____", false, "not found"},
		"unknown":                             {"bd-nnnn", false, "not found"},
		"several dotted":                      {"bd-part", false, "ambiguous: bd-part.1, bd-part.2"},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			err := db.View(context.Background(), func(q *Query) (err error) {
				got, err = q.Resolve(c.input, c.deleted)
				return err
			})
			if err != nil {
				got = err.Error()
			}
			if got != c.want && (err == nil || !strings.HasSuffix(got, c.want)) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestAmbiguous(t *testing.T) {
	var ids []string
	for c := 'a'; c <= 'n'; c++ {
		ids = append(ids, "bd-same"+strings.Repeat(string(c), 6))
	}
	db := identified(t, ids...)
	err := db.View(context.Background(), func(q *Query) error { _, err := q.Resolve("same", false); return err })
	var ambiguous *AmbiguousError
	if !errors.As(err, &ambiguous) {
		t.Fatalf("error %v", err)
	}
	if ambiguous.Total != len(ids) || len(ambiguous.Candidates) != mostListed {
		t.Errorf("%d candidates of %d", len(ambiguous.Candidates), ambiguous.Total)
	}
	if want := (Candidate{ids[0], "bd-samea", "Title of " + ids[0]}); ambiguous.Candidates[0] != want {
		t.Errorf("first candidate %+v", ambiguous.Candidates[0])
	}
	if !strings.HasSuffix(err.Error(), "and 4 more") {
		t.Errorf("says %q", err)
	}
}

func TestShort(t *testing.T) {
	db := identified(t, "bd-x7k2m9q4t1", "bd-x7k2zzzzzz", "bd-aaaa000000", "bd-bbbb", "bd-bbbb000000", "bd-1", "bd-notbase36!",
		"bd-dead000000 deleted", "bd-dead111111", "bd-cccc000000", "bd-cccc000000.1", "bd-hide000000 hidden", "bd-hide111111")
	for id, want := range map[string]string{
		"bd-x7k2m9q4t1":   "bd-x7k2m",
		"bd-x7k2zzzzzz":   "bd-x7k2z",
		"bd-aaaa000000":   "bd-aaaa",
		"bd-bbbb":         "bd-bbbb",
		"bd-bbbb000000":   "bd-bbbb0",
		"bd-1":            "bd-1",
		"bd-notbase36!":   "bd-notbase36!",
		"bd-dead111111":   "bd-dead1",
		"bd-cccc000000":   "bd-cccc000000",
		"bd-cccc000000.1": "bd-cccc000000.1",
		"bd-hide111111":   "bd-hide",
	} {
		if got := ask(t, db, func(q *Query) (string, error) { return q.Short(id) }); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

// Whatever ids there are, the abbreviation of an issue leads back to it.
func TestShortResolves(t *testing.T) {
	db := newDB(t)
	rapid.Check(t, func(rt *rapid.T) {
		part := rapid.OneOf(
			rapid.StringMatching(`[ab]{10}`), rapid.StringMatching(`[ab]{3,6}`), rapid.StringMatching(`[ab]{10}\.[12]`))
		prefix := rapid.SampledFrom([]string{"bd", "old", "bd-bd", "b"})
		ids := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) string {
			return prefix.Draw(t, "prefix") + "-" + part.Draw(t, "part")
		}), 1, 12, rapid.ID[string]).Draw(rt, "ids")
		err := db.Rebuild(context.Background(), false, func(tx *Tx) error {
			addLines(t, tx, encode(t, operation(1, op.DoInit, "", "issue_prefix", `"bd"`, "prefix_aliases", `["old"]`)))
			for n, id := range ids {
				addLines(t, tx, encode(t, operation(2+n, op.DoCreate, id)))
			}
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
		for _, id := range ids {
			short := ask(t, db, func(q *Query) (string, error) { return q.Short(id) })
			back := ask(t, db, func(q *Query) (string, error) { return q.Resolve(short, false) })
			if back != id {
				rt.Fatalf("%s is shown as %s, which means %s", id, short, back)
			}
		}
	})
}
