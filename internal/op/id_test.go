package op

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseID(t *testing.T) {
	last := makeID(endMillis-1, 1<<16-1, 1<<64-1)
	if got, want := last.Time(), time.Date(2199, 12, 31, 23, 59, 59, 999e6, time.UTC); !got.Equal(want) {
		t.Fatalf("last millisecond of ids = %v, want %v", got, want)
	}
	for _, c := range []struct{ name, text, want string }{
		{"usual", "01KAQ0T6V3R8M0X2E9F1C4H7JK", ""},
		{"last of 2199", last.String(), ""},
		{"first of 2200", makeID(endMillis, 0, 0).String(), "after the year 2200"},
		{"greatest possible", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "after the year 2200"},
		{"over 128 bits", "80000000000000000000000000", "overflow"},
		{"lower case", "01kaq0t6v3r8m0x2e9f1c4h7jk", "canonical"},
		{"zero", strings.Repeat("0", 26), "zero"},
		{"too short", "01KAQ0T6V3R8M0X2E9F1C4H7J", "bad data size"},
		{"too long", "01KAQ0T6V3R8M0X2E9F1C4H7JKK", "bad data size"},
		{"letter outside the alphabet", "01KAQ0T6V3R8M0X2E9F1C4H7JU", "bad data characters"},
		{"empty", "", "bad data size"},
	} {
		t.Run(c.name, func(t *testing.T) {
			id, err := ParseID(c.text)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("ParseID(%q) = %v", c.text, err)
			case c.want == "" && id.String() != c.text:
				t.Errorf("ParseID(%q).String() = %q", c.text, id)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("ParseID(%q) = %v, want an error with %q", c.text, err, c.want)
			}
		})
	}
}

func drawID(t *rapid.T) ID {
	return makeID(rapid.Int64Range(0, endMillis-1).Draw(t, "ms"),
		rapid.Uint16().Draw(t, "counter"), rapid.Uint64Min(1).Draw(t, "low"))
}

func TestIDOrderIsStringOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawID(t), drawID(t)
		if got, want := a.Compare(b), strings.Compare(a.String(), b.String()); got != want {
			t.Fatalf("%v.Compare(%v) = %d, strings compare %d", a, b, got, want)
		}
		if back, err := ParseID(a.String()); err != nil || back != a {
			t.Fatalf("ParseID(%v) = %v, %v", a, back, err)
		}
		if first := MinID(a.Time()); first.Compare(a) > 0 || first.Time() != a.Time() {
			t.Fatalf("MinID of %v's millisecond is %v", a, first)
		}
	})
}

func TestMinIDClamps(t *testing.T) {
	if got := MinID(time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)); got.millis() != 0 {
		t.Errorf("before 1970: %v", got.Time())
	}
	if got := MinID(time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)); got.check() != nil {
		t.Errorf("after 2200: %v", got.Time())
	}
}

func TestFarAhead(t *testing.T) {
	now := time.UnixMilli(testMillis)
	if makeID(testMillis+24*3600*1000, 9, 9).FarAhead(now) {
		t.Error("24 hours ahead is far ahead")
	}
	if !makeID(testMillis+24*3600*1000+1, 0, 1).FarAhead(now) {
		t.Error("more than 24 hours ahead is not far ahead")
	}
}
