package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"beads/internal/cli"
)

// neverFails are the commands that no script can show an error of, and why.
var neverFails = map[string]string{
	"hook":      "takes whatever an old hook passes on, so that no commit ever fails",
	"hooks run": "takes whatever an old hook passes on, so that no commit ever fails",
}

// unused are the flags that no script gives, and why.
var unused = map[string]string{
	"daemon start --replaced":     "for a daemon that becomes a newer program; daemon_upgrade.txtar brings that about",
	"daemon start --report-ready": "for the process in the background, which every daemon start makes",
}

// TestEveryCommandIsComplete: help and an example, a group, a row on the page
// that says what --json prints, and in the scripts a run that works, one with
// --json (which is then held against its schema), one that fails, and one of
// every flag.
func TestEveryCommandIsComplete(t *testing.T) {
	page := readContract(t)
	uses := readUses(t)
	root := cli.Tree()
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) {
		if !slices.ContainsFunc(uses, func(u use) bool { return u.line.Has(f.Name) }) {
			t.Errorf("no script uses the global flag --%s", f.Name)
		}
	})
	var walk func(*cobra.Command)
	walk = func(parent *cobra.Command) {
		for _, cmd := range parent.Commands() {
			name := strings.TrimPrefix(cmd.CommandPath(), "bd ")
			checkHelp(t, cmd, parent == root)
			row := page.row(cli.CommandLine{Path: name, Flags: rowFlags(page, name)})
			if row == nil && !cmd.HasSubCommands() {
				t.Errorf("docs/json.md has no row for bd %s: say what it prints with --json (or \"no JSON: …\"), and add its schema to docs/schema", name)
			}
			if row != nil {
				checkUses(t, name, row.schema != "", uses)
			}
			checkFlags(t, cmd, name, uses)
			walk(cmd)
		}
	}
	walk(root)
	for _, row := range page.rows {
		cmd, rest, err := root.Find(strings.Fields(row.command))
		if err != nil || len(rest) > 0 || cmd.CommandPath() != "bd "+row.command {
			t.Errorf("docs/json.md has a row for bd %s, which is no command", row.command)
			continue
		}
		for _, flag := range row.flags {
			if cmd.Flags().Lookup(flag) == nil {
				t.Errorf("docs/json.md has a row for bd %s --%s, which is no flag", row.command, flag)
			}
		}
	}
	for name := range neverFails {
		if slices.ContainsFunc(uses, func(u use) bool { return u.line.Path == name && u.fails }) {
			t.Errorf("bd %s is said never to fail, and does in a script", name)
		}
	}
}

// rowFlags are all the flags that the page tells rows of a command apart by.
func rowFlags(page *contract, name string) (flags []string) {
	for _, row := range page.rows {
		if row.command == name {
			flags = append(flags, row.flags...)
		}
	}
	return flags
}

func checkHelp(t *testing.T, cmd *cobra.Command, top bool) {
	t.Helper()
	for _, has := range []struct{ what, text string }{{"Short", cmd.Short}, {"Long", cmd.Long}, {"Example", cmd.Example}} {
		if strings.TrimSpace(has.text) == "" {
			t.Errorf("%s has no %s", cmd.CommandPath(), has.what)
		}
	}
	if top && cmd.GroupID == "" {
		t.Errorf("%s is in no group", cmd.CommandPath())
	}
}

// checkUses looks for a run that works, one with --json, and one that fails.
func checkUses(t *testing.T, name string, json bool, uses []use) {
	t.Helper()
	works, prints, fails := false, false, false
	for _, u := range uses {
		if u.line.Path == name {
			works = works || !u.fails
			prints = prints || !u.fails && u.line.Has("json")
			fails = fails || u.fails
		}
	}
	if !works {
		t.Errorf("no script runs: bd %s", name)
	}
	if json && !prints {
		t.Errorf("no script runs: bd %s --json", name)
	}
	if !fails && neverFails[name] == "" {
		t.Errorf("no script has an error of it: ! bd %s", name)
	}
}

func checkFlags(t *testing.T, cmd *cobra.Command, name string, uses []use) {
	t.Helper()
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		full := name + " --" + f.Name
		used := slices.ContainsFunc(uses, func(u use) bool { return u.line.Path == name && u.line.Has(f.Name) })
		switch {
		case f.Name == "help":
		case !used && unused[full] == "":
			t.Errorf("no script uses the flag: bd %s", full)
		case used && unused[full] != "":
			t.Errorf("bd %s is said to be in no script, and is in one", full)
		}
	})
}

// A use is one run of bd in a script.
type use struct {
	line  cli.CommandLine
	fails bool // it is said to
}

// readUses finds every run of bd in the scripts.
func readUses(t *testing.T) []use {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	var uses []use
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(txtar.Parse(text).Comment), "\n") {
			words, err := scriptWords(line)
			if err != nil {
				t.Fatalf("%s:%d: %v", file, n+1, err)
			}
			uses = append(uses, readLine(words)...)
		}
	}
	return uses
}

// readLine reads one line of a script. Of what a shell runs it is not known
// whether it is to fail.
func readLine(words []string) (uses []use) {
	at := slices.Index(words, "sh")
	if at < 0 || at+2 >= len(words) || words[at+1] != "-c" {
		if u, ok := readUse(words); ok {
			uses = append(uses, u)
		}
		return uses
	}
	for _, command := range strings.FieldsFunc(words[at+2], func(r rune) bool { return strings.ContainsRune(";|&\n()", r) }) {
		words, err := scriptWords(command)
		if u, ok := readUse(words); err == nil && ok {
			uses = append(uses, u)
		}
	}
	return uses
}

// readUse reads one command of a script.
func readUse(words []string) (u use, ok bool) {
	for len(words) > 0 && (words[0] == "!" || words[0] == "?" || strings.HasPrefix(words[0], "[")) {
		u.fails = u.fails || words[0] == "!"
		words = words[1:]
	}
	if len(words) == 0 {
		return u, false
	}
	switch words[0] {
	case "exec", "eventually":
		words = words[1:]
	case "exits":
		u.fails = len(words) > 1 && words[1] != "0"
		words = words[min(2, len(words)):]
	case "together":
		if len(words) > 2 {
			all, _ := strconv.Atoi(words[1])
			good, _ := strconv.Atoi(words[2])
			u.fails = good < all
		}
		words = words[min(3, len(words)):]
	}
	if len(words) == 0 || words[0] != "bd" {
		return u, false
	}
	words = words[1:]
	if last := len(words) - 1; last >= 0 && strings.HasPrefix(words[last], "&") { // in the background
		words = words[:last]
	}
	u.line = cli.ReadCommandLine(words)
	return u, true
}

// scriptWords splits a line as testscript does, without expanding variables.
func scriptWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord, quoted := false, false
	end := func() {
		if inWord {
			words = append(words, word.String())
			word.Reset()
			inWord = false
		}
	}
	for i := 0; i < len(line); i++ {
		switch b := line[i]; {
		case quoted && b == '\'' && i+1 < len(line) && line[i+1] == '\'':
			word.WriteByte(b)
			i++
		case b == '\'':
			quoted, inWord = !quoted, true
		case quoted:
			word.WriteByte(b)
		case b == ' ' || b == '\t' || b == '\r':
			end()
		case b == '#':
			end()
			return words, nil
		default:
			word.WriteByte(b)
			inWord = true
		}
	}
	end()
	if quoted {
		return nil, fmt.Errorf("a quote that does not end: %s", line)
	}
	return words, nil
}
