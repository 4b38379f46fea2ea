package architecture

import (
	"slices"
	"strings"
	"testing"
)

// layers says for every package which packages of the module it may import.
// What is not named is forbidden, for the reason given. A new package is
// entered here, which is the moment to think about where it belongs.
var layers = []struct {
	dir string
	may []string
	why string
}{
	{"internal/issue", nil,
		"the domain stands alone: its rules must not depend on how issues are stored, replicated or shown"},
	{"internal/op", []string{"internal/issue"},
		"codec, clock and fold are pure, so that every clone computes the same issues from the same operations"},
	{"internal/oplog", []string{"internal/op"},
		"the log stores lines; it must work without knowing issues, databases or where a workspace lies"},
	{"internal/oplog/faultfs", []string{"internal/oplog"},
		"a failing file system for tests needs nothing but the interface that it implements"},
	{"internal/interrupt", nil,
		"when signals are caught is no matter of what they end"},
	{"internal/trigram", nil,
		"which documents may hold a text follows from the texts; what they are texts of, the projection knows"},
	{"internal/projection", []string{"internal/interrupt", "internal/issue", "internal/op", "internal/oplog", "internal/trigram"},
		"the database is derived from the log and can be deleted; it must not know locks, Git or commands"},
	{"internal/git", nil,
		"git knows repositories and nothing of issues, so that what touches the user's repository stays small"},
	{"internal/watch", nil,
		"watching reports that files changed; what that means is for the daemon to decide"},
	{"internal/workspace", []string{"internal/git", "internal/interrupt", "internal/issue", "internal/op", "internal/oplog", "internal/projection"},
		"the one write path serves commands and daemon alike, so it may know neither"},
	{"internal/replica", []string{"internal/git", "internal/issue", "internal/op", "internal/oplog", "internal/projection", "internal/workspace"},
		"replication moves operations between a workspace and Git; who asks for it, and when, is not its business"},
	{"internal/beadsjson", []string{"internal/issue", "internal/op"},
		"the snapshot format is a translation; it reads and writes what it is handed"},
	{"internal/spelling", nil,
		"comparing words needs nothing of ours"},
	{"internal/query", []string{"internal/issue", "internal/spelling"},
		"an expression is text; how it is answered is for the projection"},
	{"internal/graph", nil,
		"a drawing follows from nodes and edges; which issues those are, the commands say"},
	{"internal/terminal", nil,
		"an editor and a pager get texts; what they mean is for the commands"},
	{"internal/metrics", nil,
		"counting needs nothing of ours, so that whoever measures can use it"},
	{"internal/control", []string{"internal/metrics"},
		"the control interface sees only what it serves, so that client and server stay interchangeable"},
	{"internal/registry", nil,
		"entries say where a daemon may be; what they are worth is for who holds locks and sockets against them"},
	{"internal/daemonlog", []string{"internal/oplog", "internal/watch", "internal/workspace"},
		"a log is written and read in one place; whose steps it tells of, it need not know"},
	{"internal/fleet", []string{"internal/control", "internal/daemonlog", "internal/git", "internal/oplog", "internal/registry", "internal/workspace"},
		"finding, asking and stopping daemons needs none of what a daemon does"},
	{"internal/daemon", []string{"internal/config", "internal/control", "internal/daemonlog", "internal/fleet", "internal/git", "internal/metrics", "internal/op", "internal/oplog", "internal/projection", "internal/registry", "internal/replica", "internal/watch", "internal/workspace"},
		"the daemon has no private way to write or to read issues: it calls the steps of workspace and replica"},
	{"internal/config", []string{"internal/spelling"},
		"settings are read from what it is handed; linking the database would make its fuzzing slow to build"},
	{"internal/routes", []string{"internal/issue"},
		"a file of routes is text that may be hostile; whether a workspace is where one leads, workspace says"},
	{"internal/service", nil,
		"what is written for systemd and launchd follows from a command line and paths; which daemon that is, it need not know"},
	{"internal/cli", []string{"internal/beadsjson", "internal/companion", "internal/config", "internal/control", "internal/daemon", "internal/daemonlog", "internal/fleet", "internal/git", "internal/graph", "internal/interrupt", "internal/issue", "internal/metrics", "internal/op", "internal/projection", "internal/query", "internal/registry", "internal/replica", "internal/routes", "internal/service", "internal/spelling", "internal/terminal", "internal/watch", "internal/workspace"},
		"commands parse, call and print; they reach the log only through workspace"},
	{"internal/companion", nil,
		"finding a program and becoming it needs nothing of ours"},
	{"internal/process", []string{"internal/cli"},
		"the surroundings of a run are read in one place, for every program of the module"},
	{"internal/mcpserver", []string{"internal/cli", "internal/companion", "internal/issue"},
		"a tool is a command line that package cli runs, so that there is no other way to read, validate and write"},
	{"internal/architecture", nil,
		"reads the source of the others and must not link them"},
	{"internal/doctest", nil,
		"runs the built program as a user does"},
	{"internal/sim", nil,
		"drives the others from its tests alone; nobody may import a simulation"},
	{"internal/acceptance", nil,
		"drives the built program as many users do, and must see no more of it than they"},
	{"cmd/bd", []string{"internal/cli", "internal/interrupt", "internal/process"},
		"main is wiring only"},
	{"cmd/bd-mcp", []string{"internal/mcpserver", "internal/process"},
		"main is wiring only"},
	{"scripts/man", []string{"internal/cli"},
		"manual pages follow from the tree of commands; what writes them is not linked into bd"},
	{"scripts/cross", nil,
		"it reads the source of the others, as a compiler does"},
	{"bench", []string{"internal/issue", "internal/op"},
		"the benchmark measures the built program from outside and only writes logs for it"},
	{"torture", nil,
		"runs the tests of the others, and the built program, and must see no more of it than a user"},
}

func TestImportsPointInward(t *testing.T) {
	allowed := map[string]int{}
	for i, layer := range layers {
		allowed[layer.dir] = i
	}
	readSource(t).product(func(dir string, file sourceFile) {
		i, known := allowed[dir]
		if !known {
			t.Errorf("%s: package %s is not in the table of layers: enter what it may import, and why", file.path, dir)
			return
		}
		for _, imported := range file.imports() {
			inner, ours := strings.CutPrefix(imported, module+"/")
			if ours && !slices.Contains(layers[i].may, inner) {
				t.Errorf("%s: %s must not import %s: %s", file.path, dir, inner, layers[i].why)
			}
		}
	})
}

// reserved names packages from elsewhere that only some of ours may import.
var reserved = []struct {
	prefix string // an import path, or the beginning of one that ends in /
	only   []string
	why    string
}{
	{"zombiezen.com/go/sqlite", []string{"internal/projection"},
		"SQLite is a detail of the projection (docs/adr/0001)"},
	{"modernc.org/", []string{"internal/projection"},
		"SQLite is a detail of the projection (docs/adr/0001)"},
	{"database/sql", nil,
		"a connection pool hides which connection holds the transaction (docs/adr/0001)"},
	{"github.com/modelcontextprotocol/", []string{"internal/mcpserver"},
		"linked into bd, its package initialisers cost every command 0.8 ms (docs/adr/0012)"},
	{"github.com/google/jsonschema-go/", []string{"internal/mcpserver"},
		"it comes with the protocol's library (docs/adr/0012)"},
	{"os/exec", []string{"internal/companion", "internal/daemon", "internal/fleet", "internal/git", "internal/service", "internal/terminal", "bench", "torture"},
		"no child process on the read path; only git runs git, the daemon re-executes itself, companion hands over to another program of this module, service asks systemctl and launchctl, and terminal runs what the person chose"},
	{"net/http", []string{"internal/control"},
		"nothing here talks to a network but the local control socket"},
	{"github.com/fsnotify/", []string{"internal/watch"},
		"notification has a polling fallback, which only watch can offer"},
	{"github.com/spf13/", []string{"internal/cli", "scripts/man"},
		"flags are a matter of the command line"},
	{"testing", []string{"internal/oplog/faultfs"},
		"product code must not carry test code"},
	{"pgregory.net/", nil,
		"product code must not carry test code"},
	{"math/rand", []string{"bench"},
		"ids need a cryptographic source, which is passed in; a second source would defeat seeded tests"},
	{"regexp", []string{"torture"},
		"compiling patterns and linking regexp costs start-up time of every command"},
	{"encoding/gob", nil,
		"all formats here are documented text"},
}

func TestReservedImports(t *testing.T) {
	readSource(t).product(func(dir string, file sourceFile) {
		for _, imported := range file.imports() {
			for _, r := range reserved {
				if names(r.prefix, imported) && !slices.Contains(r.only, dir) {
					t.Errorf("%s: %s must not import %s: %s", file.path, dir, imported, r.why)
				}
			}
		}
	})
}

// names reports whether the imported path is the package, one below it, or
// below the prefix that ends in a slash.
func names(prefix, imported string) bool {
	return imported == prefix || strings.HasPrefix(imported, strings.TrimSuffix(prefix, "/")+"/")
}

// pure packages compute: the same input gives the same output, on every
// machine.
func TestPurePackagesTouchNothing(t *testing.T) {
	outside := []string{"context", "io/fs", "log/", "net", "os", "path/filepath", "sync", "syscall", "golang.org/x/sys", "crypto/rand"}
	readSource(t).product(func(dir string, file sourceFile) {
		if dir != "internal/issue" && dir != "internal/op" {
			return
		}
		for _, imported := range file.imports() {
			for _, prefix := range outside {
				if names(prefix, imported) {
					t.Errorf("%s: %s must not import %s: it is pure, and gets time and randomness passed in", file.path, dir, imported)
				}
			}
		}
	})
}
