package issue

import (
	"errors"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	name := func(s string) error { return ValidateName("status", s) }
	text := func(s string) error { return ValidateText("notes", s) }
	shortText := func(s string) error { return ValidateShort("assignee", s) }
	actor := func(s string) error { return ValidateActor("actor", s) }
	x := strings.Repeat
	for _, c := range []struct {
		name     string
		validate func(string) error
		value    string
		want     string // "" for valid
	}{
		{"title", ValidateTitle, "Fix <login> 🙂", ""},
		{"title of 500 characters", ValidateTitle, x("é", 500), ""},
		{"title of 501", ValidateTitle, x("é", 501), "501 characters"},
		{"title empty", ValidateTitle, "", "blank"},
		{"title blank", ValidateTitle, " \t\u00a0", "blank"},
		{"title of two lines", ValidateTitle, "a\nb", "U+000A"},
		{"title with an escape", ValidateTitle, "a\x1b[31m", "U+001B"},
		{"title with a C1 control", ValidateTitle, "a\u0085", "U+0085"},
		{"title not UTF-8", ValidateTitle, "a\xff", "UTF-8"},
		{"assignee", shortText, "Ann O'Nym", ""},
		{"assignee emptied", shortText, "", ""},
		{"assignee too long", shortText, x("a", 501), "501 characters"},
		{"assignee with a tab", shortText, "a\tb", "U+0009"},
		{"actor", actor, "Ann O'Nym", ""},
		{"actor of 200", actor, x("é", 200), ""},
		{"actor of 201", actor, x("é", 201), "201 characters"},
		{"actor not UTF-8", actor, "a\xff", "UTF-8"},
		{"status", name, "in_progress", ""},
		{"status with every mark", name, "ä1-_./:", ""},
		{"status of 50", name, x("é", 50), ""},
		{"status of 51", name, x("é", 51), "51 characters"},
		{"status empty", name, "", "empty"},
		{"status with a blank", name, "in progress", "only letters"},
		{"status with a comma", name, "a,b", "only letters"},
		{"tombstone", ValidateStatus, "tombstone", "delete"},
		{"another status", ValidateStatus, "hooked", ""},
		{"label", ValidateLabel, "needs review: now", ""},
		{"label empty", ValidateLabel, "", "empty"},
		{"label with a comma", ValidateLabel, "a,b", "comma"},
		{"label with a blank before", ValidateLabel, " a", "blank"},
		{"label with a line end after", ValidateLabel, "a\n", "blank"},
		{"label of 101", ValidateLabel, x("é", 101), "101 characters"},
		{"label with NUL", ValidateLabel, "a\x00b", "U+0000"},
		{"text", text, "a\r\n\tb\x1b[0m", ""},
		{"text empty", text, "", ""},
		{"text at its limit", text, x("a", MaxText), ""},
		{"text over it", text, x("a", MaxText+1), "128 KiB"},
		{"text not UTF-8", text, "\xff", "UTF-8"},
		{"text with NUL", text, "a\x00", "NUL"},
		{"id", ValidateID, "bd-A1.2_x", ""},
		{"id without a dash", ValidateID, "bd", "prefix-name"},
		{"id without a prefix", ValidateID, "-x", "dash"},
		{"id like an option", ValidateID, "--force", "dash"},
		{"id that ends in the dash", ValidateID, "bd-", "prefix-name"},
		{"id with a blank", ValidateID, "bd-a b", "only A-Z"},
		{"id with a slash", ValidateID, "bd-../x", "only A-Z"},
		{"id not ASCII", ValidateID, "bd-é", "only A-Z"},
		{"id of 100", ValidateID, "bd-" + x("a", 97), ""},
		{"id of 101", ValidateID, "bd-" + x("a", 98), "100 characters"},
		{"prefix", ValidatePrefix, "my-app2", ""},
		{"prefix empty", ValidatePrefix, "", "empty"},
		{"prefix that ends in a dash", ValidatePrefix, "bd-", "end with"},
		{"prefix like an option", ValidatePrefix, "-bd", "begin"},
		{"prefix with a slash", ValidatePrefix, "a/b", "only A-Z"},
		{"prefix too long", ValidatePrefix, x("a", 41), "40 characters"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.validate(c.value)
			if c.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			var field *FieldError
			if !errors.As(err, &field) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
			if field.Value != c.value || len(err.Error()) > 250 || strings.ContainsAny(err.Error(), "\n\x1b\x00") {
				t.Errorf("error %q", err)
			}
		})
	}
}

func TestParsePriority(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "4": 4, "P0": 0, "p3": 3} {
		if got, err := ParsePriority(text); err != nil || got != want {
			t.Errorf("ParsePriority(%q) = %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "5", "-1", "P5", "P", "high", "01", "1 ", "P-1", "１"} {
		if got, err := ParsePriority(text); err == nil {
			t.Errorf("ParsePriority(%q) = %d", text, got)
		}
	}
}

func TestParseEstimate(t *testing.T) {
	if got, err := ParseEstimate("90"); err != nil || got != 90 {
		t.Errorf("ParseEstimate(90) = %d, %v", got, err)
	}
	for _, text := range []string{"", "-1", "1.5", "2h", "99999999999"} {
		if got, err := ParseEstimate(text); err == nil {
			t.Errorf("ParseEstimate(%q) = %d", text, got)
		}
	}
}

// An operation with one text at the limit fits a line of the log, whatever
// has to be escaped in it.
func TestMaxTextFitsALine(t *testing.T) {
	i := Issue{Description: strings.Repeat("\x01", MaxText)}
	if n := len(i.AppendJSON(nil)); n > 1<<20-4096 {
		t.Errorf("escaped, the longest text has %d bytes", n)
	}
}
