package doctest

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// A step is one command of a console block.
type step struct {
	line    int    // in the file, from 1
	command string // may have several lines
	output  []string
}

// steps reads the commands of all console blocks of a Markdown text.
func steps(text string) ([]step, error) {
	var found []step
	inBlock, inOther := false, false
	for i, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			if inBlock || inOther {
				inBlock, inOther = false, false
			} else {
				inBlock = line == "```console"
				inOther = !inBlock
			}
		case !inBlock:
		case strings.HasPrefix(line, "$ "):
			found = append(found, step{line: i + 1, command: line[2:]})
		case len(found) == 0:
			return nil, fmt.Errorf("line %d: output before any command", i+1)
		case strings.HasPrefix(line, "> ") && len(found[len(found)-1].output) == 0:
			found[len(found)-1].command += "\n" + line[2:]
		default:
			last := &found[len(found)-1]
			last.output = append(last.output, line)
		}
	}
	if inBlock || inOther {
		return nil, fmt.Errorf("a block is not closed")
	}
	return found, nil
}

// fails says whether the text shows that the command fails.
func (s step) fails() bool {
	for _, line := range s.output {
		if strings.HasPrefix(line, "bd: error:") {
			return true
		}
	}
	return false
}

// missing is a tool that the command needs beside bd, git and a shell, and that
// is not installed; "" if there is none.
func (s step) missing() string {
	for _, tool := range []string{"curl", "jq"} {
		if regexp.MustCompile(`\b` + tool + `\b`).MatchString(s.command) {
			if _, err := exec.LookPath(tool); err != nil {
				return tool
			}
		}
	}
	return ""
}

var idPattern = `\bbd-[0-9a-z]{4,10}\b`

// ids ties the ids of a text to those of this run.
type ids map[string]string

// replace puts the ids of this run into a command.
func (m ids) replace(command string) string {
	return regexp.MustCompile(idPattern).ReplaceAllStringFunc(command, func(id string) string {
		if actual, ok := m[id]; ok {
			return actual
		}
		return id
	})
}

// match compares the shown output with the actual one, and ties new ids.
func (m ids) match(shown, actual []string) error {
	if len(shown) == 0 {
		if len(actual) > 0 {
			return fmt.Errorf("nothing is shown, but there are %q", actual)
		}
		return nil
	}
	if strings.TrimSpace(shown[0]) == "…" {
		for skip := 0; skip <= len(actual); skip++ {
			if m.match(shown[1:], actual[skip:]) == nil {
				return nil
			}
		}
		return fmt.Errorf("after …: %q is nowhere in %q", shown[1:], actual)
	}
	if len(actual) == 0 {
		return fmt.Errorf("%q is missing", shown[0])
	}
	if err := m.matchLine(shown[0], actual[0]); err != nil {
		return err
	}
	return m.match(shown[1:], actual[1:])
}

func (m ids) matchLine(shown, actual string) error {
	shown, actual = squeeze(shown), squeeze(actual)
	var pattern strings.Builder
	var names []string
	pattern.WriteString("^")
	rest := shown
	for rest != "" {
		place := regexp.MustCompile(idPattern + "|…").FindStringIndex(rest)
		if place == nil {
			pattern.WriteString(regexp.QuoteMeta(rest))
			break
		}
		pattern.WriteString(regexp.QuoteMeta(rest[:place[0]]))
		if token := rest[place[0]:place[1]]; token == "…" {
			pattern.WriteString(".*")
		} else {
			names = append(names, token)
			pattern.WriteString("(" + idPattern + "|" + regexp.QuoteMeta(token) + ")")
		}
		rest = rest[place[1]:]
	}
	pattern.WriteString("$")
	found := regexp.MustCompile(pattern.String()).FindStringSubmatch(actual)
	if found == nil {
		return fmt.Errorf("shown %q, is %q", shown, actual)
	}
	for i, name := range names {
		known, ok := m[name]
		switch id := found[i+1]; {
		case !ok:
			m[name] = id
		case !strings.HasPrefix(known, id) && !strings.HasPrefix(id, known):
			return fmt.Errorf("%s was %s and is %s in %q", name, known, id, actual)
		}
	}
	return nil
}

// squeeze makes every run of blanks one, and cuts those at the end.
func squeeze(line string) string {
	return strings.TrimRight(regexp.MustCompile(`\s+`).ReplaceAllString(line, " "), " ")
}

func TestSteps(t *testing.T) {
	text := "Text\n```console\n$ bd list\none\n\ntwo\n$ for i in 1; do\n> echo $i\n> done\n```\n```go\n$ not a command\n```\n```console\n$ bd x\nbd: error: no\n```\n"
	got, err := steps(text)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{3 bd list [one  two]} {7 for i in 1; do
echo $i
done []} {15 bd x [bd: error: no]}]`
	if fmt.Sprint(got) != want {
		t.Errorf("steps %v, want %s", got, want)
	}
	if got[0].fails() || !got[2].fails() {
		t.Error("only the last step is shown to fail")
	}
	for _, bad := range []string{"```console\nout\n```\n", "```console\n$ bd\n"} {
		if _, err := steps(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for command, want := range map[string]string{
		"bd list": "", "curl -s http://bd": "curl", "bd status --json | jq .pid": "jq", "bd create 'curling'": "",
	} {
		if got := (step{command: command}).missing(); got != want {
			t.Errorf("%q lacks %q, want %q", command, got, want)
		}
	}
}

func TestMatch(t *testing.T) {
	tests := []struct {
		about         string
		shown, actual string
		known         ids
		matches       bool
	}{
		{"the same", "one\ntwo", "one\ntwo", nil, true},
		{"other text", "one", "two", nil, false},
		{"blanks", "one   two ", "one two", nil, true},
		{"a line too many", "one", "one\ntwo", nil, false},
		{"a line too few", "one\ntwo", "one", nil, false},
		{"anything in a line", "PID … here", "PID 12 here", nil, true},
		{"not anything after a line", "PID …", "PID 1\n2", nil, false},
		{"any lines", "one\n…\nfour", "one\ntwo\nthree\nfour", nil, true},
		{"any lines but the last", "…\nfour", "one\nfive", nil, false},
		{"a new id", "bd-aaaa: x", "bd-1234: x", nil, true},
		{"the same id", "bd-aaaa: x", "bd-1234: x", ids{"bd-aaaa": "bd-1234"}, true},
		{"the same id, whole", "bd-aaaa: x", "bd-1234567890: x", ids{"bd-aaaa": "bd-1234"}, true},
		{"another id", "bd-aaaa: x", "bd-5678: x", ids{"bd-aaaa": "bd-1234"}, false},
		{"one id for two", "bd-aaaa bd-aaaa", "bd-1234 bd-5678", nil, false},
	}
	for _, test := range tests {
		t.Run(test.about, func(t *testing.T) {
			known := ids{}
			for name, id := range test.known {
				known[name] = id
			}
			err := known.match(strings.Split(test.shown, "\n"), strings.Split(test.actual, "\n"))
			if (err == nil) != test.matches {
				t.Errorf("match: %v, want a match: %t", err, test.matches)
			}
		})
	}
}
