package op

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func setting(n int, set string, condition *Condition) *Operation {
	o := operation(n, DoConfig, set)
	o.Issue, o.If = "", condition
	return o
}

func TestSettings(t *testing.T) {
	unset := &Condition{Unset: true}
	s, problems := FoldSettings([]*Operation{
		setting(3, `{"prefix_aliases":["old","b","old"],"status.custom":"hooked, ready ,","types.custom":["spike"],"claim_lease":90,"mystery":{"b":1,"a":2}}`, nil),
		setting(2, `{"issue_prefix":"second"}`, unset),
		setting(1, `{"issue_prefix":"first"}`, unset),
	})
	if len(problems) > 0 {
		t.Errorf("problems %v", problems)
	}
	if s.Prefix() != "first" || !slices.Equal(s.Aliases(), []string{"b", "old"}) ||
		!slices.Equal(s.CustomStatuses(), []string{"hooked", "ready"}) || !slices.Equal(s.CustomTypes(), []string{"spike"}) ||
		s.Lease() != 90*time.Second || string(s.Values["mystery"]) != `{"a":2,"b":1}` || s.Last != testID(3) {
		t.Errorf("settings %+v: %q %q %q %q %v", s, s.Prefix(), s.Aliases(), s.CustomStatuses(), s.CustomTypes(), s.Lease())
	}
}

func TestSettingsDefaults(t *testing.T) {
	var s Settings
	if s.Prefix() != "bd" || s.Aliases() != nil || s.Lease() != 4*time.Hour {
		t.Errorf("%q %q %v", s.Prefix(), s.Aliases(), s.Lease())
	}
	s, _ = FoldSettings([]*Operation{setting(1, `{"issue_prefix":"a"}`, nil), setting(2, `{"issue_prefix":null}`, nil)})
	if s.Prefix() != "bd" {
		t.Errorf("after null: %q", s.Prefix())
	}
}

func TestSettingsIgnore(t *testing.T) {
	for _, c := range []struct {
		name string
		o    *Operation
		kind string
	}{
		{"prefix that is no text", setting(1, `{"issue_prefix":5}`, nil), BadValue},
		{"prefix with a blank", setting(1, `{"issue_prefix":"a b"}`, nil), BadValue},
		{"prefix like an option", setting(1, `{"issue_prefix":"-a"}`, nil), BadValue},
		{"alias that is no prefix", setting(1, `{"prefix_aliases":["a","/b"]}`, nil), BadValue},
		{"aliases that are no list", setting(1, `{"prefix_aliases":{}}`, nil), BadValue},
		{"status too long", setting(1, `{"status.custom":["012345678901234567890123456789012345678901234567890"]}`, nil), BadValue},
		{"lease of zero", setting(1, `{"claim_lease":0}`, nil), BadValue},
		{"lease that is no duration", setting(1, `{"claim_lease":"soon"}`, nil), BadValue},
		{"lease below a second", setting(1, `{"claim_lease":"5ms"}`, nil), BadValue},
		{"newer version", func() *Operation { o := setting(1, `{"issue_prefix":"x"}`, nil); o.V = 2; return o }(), NewerVersion},
		{"a claim", setting(1, `{"issue_prefix":"x"}`, &Condition{Unassigned: true}), UnknownCondition},
		{"unknown condition", setting(1, `{"issue_prefix":"x"}`, &Condition{Unknown: true}), UnknownCondition},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, problems := FoldSettings([]*Operation{c.o})
			if len(s.Values) > 0 || s.Last != c.o.ID {
				t.Errorf("settings %+v", s)
			}
			if len(problems) != 1 || problems[0].Kind != c.kind {
				t.Errorf("problems %v, want one %s", problems, c.kind)
			}
		})
	}
}

func TestSettingsIgnoreOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ops := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) *Operation {
			o := genOperation().Draw(t, "operation")
			o.Issue = ""
			o.Set = fields(rapid.SampledFrom([]string{SettingPrefix, SettingLease, "other"}).Draw(t, "name"),
				rapid.SampledFrom([]string{`"a"`, `"b"`, `7`, `"2h"`, `null`}).Draw(t, "value"))
			return o
		}), 1, 12, func(o *Operation) ID { return o.ID }).Draw(t, "operations")
		want, _ := FoldSettings(ops)
		got, _ := FoldSettings(rapid.Permutation(append(slices.Clone(ops), ops[0])).Draw(t, "order"))
		if len(got.Values) != len(want.Values) || got.Last != want.Last {
			t.Fatalf("%v, want %v", got, want)
		}
		for name, value := range want.Values {
			if string(got.Values[name]) != string(value) {
				t.Fatalf("%s = %s, want %s", name, got.Values[name], value)
			}
		}
	})
}

// A fold does not copy the settings for each operation.
func TestSettingsAreNotCopied(t *testing.T) {
	allocations := func(settings int) float64 {
		set := make(map[string]json.RawMessage, settings)
		for n := range settings {
			set[fmt.Sprint("name", n)] = Int(n)
		}
		var s Settings
		s.Take(&Operation{ID: testID(1), V: Version, Do: DoConfig, Set: set})
		n := 1
		return testing.AllocsPerRun(10, func() {
			n++
			s.Take(&Operation{ID: testID(n), V: Version, Do: DoConfig, Set: fields("name1", "7")})
		})
	}
	if few, many := allocations(2), allocations(5000); many > few+1 {
		t.Errorf("%v allocations an operation with few settings, %v with many", few, many)
	}

	before, _ := FoldSettings([]*Operation{{ID: testID(1), V: Version, Do: DoConfig, Set: fields("a", "1")}})
	after := before
	after.Apply(&Operation{ID: testID(2), V: Version, Do: DoConfig, Set: fields("a", "2")})
	if string(before.Values["a"]) != "1" || string(after.Values["a"]) != "2" {
		t.Errorf("a copy was altered: %v, %v", before, after)
	}
}
