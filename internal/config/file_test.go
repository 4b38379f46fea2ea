package config

import (
	"strings"
	"testing"
)

func TestSetConfig(t *testing.T) {
	for _, test := range []struct {
		about, before, key, value, want string // want "" is an error
	}{
		{"into nothing", "", "actor", "bob", "actor: bob\n"},
		{"below a comment", "# mine\n", "actor", "bob", "# mine\nactor: bob\n"},
		{"after a last line without its end", "a: 1", "actor", "bob", "a: 1\nactor: bob\n"},
		{"a new dotted key", "output:\n  color: never\n", "output.width", "80", "output:\n  color: never\noutput.width: \"80\"\n"},
		{"in place", "a: 1\nactor: alice # me\nb: 2\n", "actor", "bob", "a: 1\nactor: bob # me\nb: 2\n"},
		{"a nested key", "output:\n  # why\n  color: never\n", "output.color", "auto", "output:\n  # why\n  color: auto\n"},
		{"a dotted key", "output.color: never\n", "output.color", "auto", "output.color: auto\n"},
		{"what looks like something else is quoted", "", "actor", "true", "actor: \"true\"\n"},
		{"a value with a colon and a hash", "", "actor", "a: b # c", "actor: \"a: b # c\"\n"},
		{"no mapping", "- a\n", "actor", "bob", ""},
		{"no YAML", "actor: [\n", "actor", "bob", ""},
		{"the same key twice", "a.b: 1\na:\n  b: 2\n", "actor", "bob", ""},
		{"a flow mapping cannot grow at the end", "{a: 1}\n", "actor", "bob", ""},
		{"two documents", "a: 1\n---\nb: 2\n", "actor", "bob", ""},
	} {
		t.Run(test.about, func(t *testing.T) {
			got, err := SetKey("config.yaml", []byte(test.before), test.key, test.value)
			if test.want == "" {
				if err == nil {
					t.Fatalf("no error, but %q", got)
				}
				if !strings.HasPrefix(err.Error(), "config.yaml") || strings.Contains(err.Error(), "\n") {
					t.Errorf("the error is not one line that names the file: %q", err)
				}
				return
			}
			if err != nil || string(got) != test.want {
				t.Fatalf("got %q, %v\nwant %q", got, err, test.want)
			}
			file, err := ParseFile("config.yaml", got)
			if err != nil || file.Value(test.key) != test.value {
				t.Errorf("reads back as %q, %v", file.Value(test.key), err)
			}
		})
	}
}

func TestUnSetKey(t *testing.T) {
	for _, test := range []struct{ about, before, key, want string }{
		{"one of several", "a: 1 # one\nactor: bob\nb: 2\n", "actor", "a: 1 # one\nb: 2\n"},
		{"the only one", "actor: bob\n", "actor", ""},
		{"one that is not there", "a: 1\n", "actor", "a: 1\n"},
		{"a nested one", "o:\n  a: 1\n  b: 2\n", "o.a", "o:\n  b: 2\n"},
	} {
		t.Run(test.about, func(t *testing.T) {
			got, err := UnsetKey("config.yaml", []byte(test.before), test.key)
			if err != nil || string(got) != test.want {
				t.Errorf("got %q, %v\nwant %q", got, err, test.want)
			}
		})
	}
}
