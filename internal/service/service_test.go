package service

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// example is the service of the files in docs/examples.
func example(home string) Service {
	return Service{
		Workspace: home + "/project/.beads",
		Args:      []string{"/usr/local/bin/bd", "daemon", "start", "--foreground"},
		Dir:       home + "/project",
		Environ:   []string{"PATH=/usr/local/bin:/usr/bin:/bin"},
	}
}

// awkward has everything that somebody must escape.
func awkward() Service {
	return Service{
		Workspace: `/home/you/50% "of" it's $HOME & <co>/.beads`,
		Args:      []string{`/opt/my tools/$b%/bd`, "daemon", "start", "--foreground", "--db", `/data/a b/$x;"y"\z/beads.db`, "", "a'b"},
		Dir:       `/home/you/50% "of" it's $HOME & <co>`,
		Environ:   []string{`PATH=/a b:/c%d:/e"f`},
	}
}

// TestExamples: the files in docs are what install writes.
func TestExamples(t *testing.T) {
	systemd, err := Systemd(example("/home/you"), "/home/you/.config")
	if err != nil {
		t.Fatal(err)
	}
	launchd, err := Launchd(example("/Users/you"), "/Users/you", 501)
	if err != nil {
		t.Fatal(err)
	}
	for file, plan := range map[string]Plan{"bd-daemon.service": systemd, "bd-daemon.plist": launchd} {
		path := filepath.Join("..", "..", "docs", "examples", file)
		have, err := os.ReadFile(path)
		if err != nil || string(have) != plan.Content {
			t.Errorf("%s (%v) should be:\n%s", path, err, plan.Content)
		}
		if !strings.Contains(plan.Content[:200], marker) {
			t.Errorf("%s would not be recognised", file)
		}
	}
	if want := "/home/you/.config/systemd/user/bd-project-4d029ab8.service"; systemd.Path != want {
		t.Errorf("path %s, want %s", systemd.Path, want)
	}
	if want := "/Users/you/Library/LaunchAgents/bd-project-e60823c1.plist"; launchd.Path != want {
		t.Errorf("path %s, want %s", launchd.Path, want)
	}
}

// TestSystemdQuotes as systemd.service(5), COMMAND LINES, and systemd.syntax(7)
// say: the first word and the directory know no variables, the directory no
// quotes.
func TestSystemdQuotes(t *testing.T) {
	plan, err := Systemd(awkward(), "/c")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`Description=bd daemon for /home/you/50%% "of" it's $HOME & <co>/.beads`,
		`ConditionPathExists=/home/you/50%% "of" it's $HOME & <co>/.beads`,
		`ExecStart="/opt/my tools/$b%%/bd" daemon start --foreground --db "/data/a b/$$x;\"y\"\\z/beads.db" "" "a'b"`,
		`WorkingDirectory=/home/you/50%% "of" it's $HOME & <co>`,
		`Environment="PATH=/a b:/c%%d:/e\"f"`,
	} {
		if !strings.Contains(plan.Content, "\n"+want+"\n") {
			t.Errorf("no line %s in:\n%s", want, plan.Content)
		}
	}
	if !strings.HasPrefix(plan.Name, "bd-50___of__it_s__HOME____co_-") {
		t.Errorf("name %s", plan.Name)
	}
}

func TestLaunchdEscapes(t *testing.T) {
	plan, err := Launchd(awkward(), "/Users/you", 501)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<string>/home/you/50% "of" it's $HOME &amp; &lt;co&gt;</string>`,
		`<string>/opt/my tools/$b%/bd</string>`,
		`<string></string>`,
		"<key>PATH</key>\n\t\t<string>/a b:/c%d:/e\"f</string>",
	} {
		if !strings.Contains(plan.Content, want) {
			t.Errorf("no %s in:\n%s", want, plan.Content)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, change := range map[string]func(*Service){
		"line end":     func(s *Service) { s.Workspace = "/a\nExecStart=/bin/evil" },
		"in an option": func(s *Service) { s.Args = append(s.Args, "a\rb") },
		"variable":     func(s *Service) { s.Environ = []string{"PATH=/a\n"} },
		"last blank":   func(s *Service) { s.Dir = "/a " },
		"backslash":    func(s *Service) { s.Dir = `/a\` },
		"not UTF-8":    func(s *Service) { s.Dir = "/a\xff" },
	} {
		s := example("/home/you")
		change(&s)
		if _, err := Systemd(s, "/c"); err == nil {
			t.Errorf("%s: accepted by Systemd", name)
		}
		if _, err := Launchd(s, "/h", 1); err == nil {
			t.Errorf("%s: accepted by Launchd", name)
		}
	}
	s := example("/home/you")
	s.Args[0] = "/it's/bd"
	if _, err := Systemd(s, "/c"); err == nil {
		t.Error("systemd would refuse this program")
	}
}

func TestNamesDiffer(t *testing.T) {
	a, b := example("/home/you"), example("/home/you")
	b.Workspace = "/home/you/other/project/.beads"
	b.Dir = "/home/you/other/project"
	if a.name() == b.name() || len((Service{Dir: "/" + strings.Repeat("x", 300)}).name()) > 60 {
		t.Errorf("%s, %s", a.name(), b.name())
	}
}
