package mcpserver

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// One issue's way from its creation to its end, and back.
func TestWork(t *testing.T) {
	c := connect(t, workspace(t), Options{})
	first := c.create("Login fails", args{"issue_type": "bug", "priority": 0, "labels": []string{"auth"}, "description": "-", "assignee": nil})
	second := c.create("-v is no flag", args{"deps": []string{first}})
	found := c.create("Logout fails, too", args{"deps": []string{"discovered-from:" + first}, "parent": second})

	wantIDs(t, "ready", c.issues("ready", nil), first)
	wantIDs(t, "of a label", c.issues("ready", args{"labels": []string{"auth"}, "issue_type": "bug", "priority": 0}), first)
	wantIDs(t, "of no such label", c.issues("ready", args{"labels": []string{"other"}}))
	blocked := c.issues("blocked", nil)
	wantIDs(t, "blocked", blocked, second, found)
	if by := fmt.Sprint(blocked[0]["blocked_by"]); by != "["+first+"]" {
		t.Errorf("blocked by %s", by)
	}

	taken := c.issues("claim", nil)
	wantIDs(t, "claimed", taken, first)
	if taken[0]["assignee"] != "ada" || taken[0]["status"] != "in_progress" {
		t.Errorf("claimed %v", taken[0])
	}
	wantIDs(t, "claimed again", c.issues("claim", args{"issue_id": first}), first)
	wantIDs(t, "mine", c.issues("list", args{"mine": true}), first)
	c.do("comment", args{"issue_id": first, "text": "-"})
	c.do("update", args{"issue_id": first, "append_notes": "the cookie", "add_labels": []string{"web"}, "description": ""})
	shown := c.do("show", args{"issue_id": first[:7]})["issue"].(map[string]any)
	if shown["notes"] != "the cookie" || shown["description"] != nil || fmt.Sprint(shown["labels"]) != "[auth web]" {
		t.Errorf("updated %v", shown)
	}
	if comment := shown["comments"].([]any)[0].(map[string]any); comment["text"] != "-" {
		t.Errorf("comment %v", comment)
	}
	if by := shown["dependents"].([]any); len(by) != 2 || by[0].(map[string]any)["title"] == "" {
		t.Errorf("dependents %v", by)
	}

	c.do("close", args{"issue_id": first, "reason": "the cookie had no expiry"})
	c.do("close", args{"issue_ids": []string{first}})
	wantIDs(t, "ready then", c.issues("ready", nil), second, found)
	c.do("reopen", args{"issue_ids": []string{first}, "reason": "it came back"})
	wantIDs(t, "claimed again", c.issues("claim", args{"issue_id": first}), first)
	wantIDs(t, "given back", c.issues("unclaim", args{"issue_id": first}), first)

	if out := c.do("dep", args{"issue_id": second, "depends_on_id": first, "remove": true}); out["status"] != "removed" {
		t.Errorf("dep remove: %v", out)
	}
	if out := c.do("dep", args{"issue_id": first, "depends_on_id": second, "dep_type": "related"}); out["status"] != "added" {
		t.Errorf("dep: %v", out)
	}
	wantIDs(t, "searched", c.issues("search", args{"query": "LOGOUT"}), found)
	wantIDs(t, "searched for a hyphen", c.issues("search", args{"query": "-v is"}), second)
	if n := c.do("stats", nil)["summary"].(map[string]any)["total_issues"]; n != 3.0 {
		t.Errorf("stats: %v issues", n)
	}
	list := c.do("list", args{"limit": 2})
	if len(list["issues"].([]any)) != 2 || list["more"] != true || c.do("list", args{"limit": 3})["more"] != false {
		t.Errorf("list of two: %v", list)
	}
}

// Whatever goes wrong is a result that says what to do next.
func TestProblems(t *testing.T) {
	dir := workspace(t)
	c := connect(t, dir, Options{})
	other := connect(t, dir, Options{Actor: "grace"})
	c.create("One", args{"id": "bd-abcd1"})
	c.create("Two", args{"id": "bd-abcd2", "deps": []string{"bd-abcd1"}})
	c.create("Held", args{"id": "bd-held1"})
	c.create("Done", args{"id": "bd-done1"})
	c.create("Gone", args{"id": "bd-gone1"})
	c.do("close", args{"issue_id": "bd-done1"})
	other.do("claim", args{"issue_id": "bd-held1"})
	bd(t, dir, "delete", "bd-gone1", "--force")
	for _, tt := range []struct {
		about, tool string
		in          args
		code        string
		says        string // somewhere in the whole answer
	}{
		{"held by somebody", "claim", args{"issue_id": "bd-held1"}, "claimed", "claimed by grace"},
		{"the next step", "claim", args{"issue_id": "bd-held1"}, "claimed", "claim without issue_id"},
		{"not ours to give back", "unclaim", args{"issue_id": "bd-held1"}, "claimed", "grace"},
		{"a closed one", "claim", args{"issue_id": "bd-done1"}, "closed", "reopen"},
		{"nothing is ready", "claim", args{"labels": []string{"none"}}, "nothing_ready", "blocked"},
		{"ambiguous", "show", args{"issue_id": "bd-abcd"}, "ambiguous", "bd-abcd1 (One)"},
		{"unknown, with the nearest", "show", args{"issue_id": "bd-hedl1"}, "not_found", "did you mean bd-held1 (Held)?"},
		{"unknown", "update", args{"issue_id": "bd-zzzzzz", "title": "x"}, "not_found", "search finds"},
		{"deleted", "show", args{"issue_id": "bd-gone1"}, "deleted", "bd restore bd-gone1"},
		{"a cycle", "dep", args{"issue_id": "bd-abcd1", "depends_on_id": "bd-abcd2"}, "cycle", "related"},
		{"an id that is taken", "create", args{"title": "x", "id": "bd-abcd1"}, "exists", "nothing was written"},
		{"an unknown type", "create", args{"title": "x", "issue_type": "bgu"}, "invalid", "known are task"},
		{"an unknown status", "list", args{"status": "opne"}, "invalid", "known are open"},
		{"a number out of bounds", "create", args{"title": "x", "priority": 5}, "invalid", "priority"},
		{"text for a number", "create", args{"title": "x", "priority": "high"}, "invalid", "priority"},
		{"an argument that is none", "ready", args{"colour": "red"}, "invalid", "colour"},
		{"an argument missing", "create", args{}, "invalid", "title"},
		{"a limit beyond all", "list", args{"limit": 1000}, "invalid", "limit"},
		{"no id at all", "close", nil, "invalid", "issue_ids"},
		{"confirm without an issue", "claim", args{"confirm": true}, "invalid", "issue_id"},
		{"standard input read twice", "create", args{"title": "x", "description": "-", "id": "-"}, "invalid", "nothing was written"},
		{"no absolute path", "ready", args{"workspace_root": "x"}, "invalid", "absolute"},
		{"no directory", "ready", args{"workspace_root": filepath.Join(dir, "x")}, "invalid", "not a directory"},
		{"no workspace there", "ready", args{"workspace_root": t.TempDir()}, "no_workspace", "workspace_root"},
	} {
		out, failed := c.answer(tt.tool, tt.in)
		whole := fmt.Sprint(out)
		if !failed || out["code"] != tt.code || !strings.Contains(whole, tt.says) || out["next"] == "" {
			t.Errorf("%s: %s %v: %v, want code %s and %q", tt.about, tt.tool, tt.in, whole, tt.code, tt.says)
		}
	}
	if _, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: "explode"}); err == nil {
		t.Error("a tool that there is not: no error of the protocol")
	}
}

// A text of one dash, as who has nothing to say writes it, is that text, in however
// many places: a call has no standard input.
func TestDashes(t *testing.T) {
	c := connect(t, workspace(t), Options{})
	id := c.create("Login fails", args{"description": "-", "design": "-", "acceptance": "-", "notes": "-"})
	c.do("update", args{"issue_id": id, "design": "-", "append_notes": "-"})
	shown := c.do("show", args{"issue_id": id})["issue"].(map[string]any)
	wanted := args{"description": "-", "design": "-", "acceptance_criteria": "-", "notes": "-\n\n-"}
	for name, want := range wanted {
		if shown[name] != want {
			t.Errorf("%s is %q, want %q", name, shown[name], want)
		}
	}
}

// Every code that bd may answer a tool with has a next step of its own.
func TestNextSteps(t *testing.T) {
	fallback := nextStep("")
	for _, code := range []string{"claimed", "claim_lost", "closed", "nothing_ready", "ambiguous", "not_found", "deleted",
		"cycle", "no_workspace", "locked", "read_only", "usage", "invalid", "too_long", "exists", "interrupted", "refused", "several_workspaces"} {
		if nextStep(code) == fallback {
			t.Errorf("%s has none", code)
		}
	}
}

// Many agents of one name, each with a server of its own, go for one issue.
func TestClaimOnce(t *testing.T) {
	dir := workspace(t)
	const agents = 6
	clients := make([]client, agents)
	for n := range clients {
		clients[n] = connect(t, dir, Options{})
	}
	id := clients[0].create("The only one")
	won := make([]bool, agents)
	var all sync.WaitGroup
	for n, c := range clients {
		all.Go(func() {
			in := args{"issue_id": id}
			if n%2 == 0 {
				in = nil
			}
			out, failed := c.answer("claim", in)
			if won[n] = !failed; failed && out["code"] != "claimed" && out["code"] != "nothing_ready" {
				t.Errorf("agent %d: %v", n, out)
			}
		})
	}
	all.Wait()
	if n := len(slices.DeleteFunc(won, func(w bool) bool { return !w })); n != 1 {
		t.Errorf("%d agents got it", n)
	}
}

// One server answers many calls at once.
func TestCallsAtOnce(t *testing.T) {
	c := connect(t, workspace(t), Options{})
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			c.create(fmt.Sprintf("Issue %d", n))
			c.do("list", args{"limit": 100})
		})
	}
	all.Wait()
	if n := len(c.issues("list", args{"limit": 100})); n != 20 {
		t.Errorf("%d issues", n)
	}
}

// The server remembers nothing: what others do is seen at once.
func TestWorkspaceChanges(t *testing.T) {
	dir := workspace(t)
	c := connect(t, dir, Options{})
	id := bd(t, dir, "q", "By another")
	wantIDs(t, "created elsewhere", c.issues("ready", nil), id)
	if err := os.Remove(filepath.Join(dir, ".beads", "beads.db")); err != nil {
		t.Fatal(err)
	}
	bd(t, dir, "update", id, "--title", "Renamed")
	if i := c.issues("ready", nil)[0]; i["title"] != "Renamed" {
		t.Errorf("after a rebuild: %v", i)
	}
	bd(t, dir, "reset", "--force")
	if out, failed := c.answer("ready", nil); !failed || out["code"] != "no_workspace" {
		t.Errorf("after a reset: %v", out)
	}
	bd(t, dir, "init")
	wantIDs(t, "a new workspace", c.issues("ready", nil))
	if again := c.create("New"); again == "" {
		t.Error("nothing created")
	}
	// A notice of bd's stands beside the result.
	log := filepath.Join(dir, ".beads", "issues.jsonl")
	if err := os.Remove(log); err != nil {
		t.Fatal(err)
	}
	result, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: "ready"})
	if err != nil || len(result.Content) != 2 || !strings.Contains(result.Content[1].(*mcp.TextContent).Text, "restored") {
		t.Errorf("without a log: %v, %v", result, err)
	}
}

// workspace_root leads elsewhere, whatever the server was started with.
func TestWorkspaceRoot(t *testing.T) {
	here, there := workspace(t), workspace(t)
	c := connect(t, t.TempDir(), Options{DB: filepath.Join(here, ".beads", "beads.db")}, "BEADS_DIR="+filepath.Join(here, ".beads"))
	mine := c.create("Here")
	other := c.create("There", args{"workspace_root": there})
	wantIDs(t, "here", c.issues("ready", nil), mine)
	wantIDs(t, "there", c.issues("ready", args{"workspace_root": there}), other)
}

func TestReadOnly(t *testing.T) {
	dir := workspace(t)
	id := bd(t, dir, "q", "One")
	c := connect(t, dir, Options{ReadOnly: true})
	wantIDs(t, "ready", c.issues("ready", nil), id)
	tools, err := c.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range tools.Tools {
		if !tool.Annotations.ReadOnlyHint {
			t.Errorf("%s is offered", tool.Name)
		}
	}
	if !strings.HasPrefix(c.InitializeResult().Instructions, readOnly) {
		t.Error("the instructions do not say it")
	}
}

// Texts of others show what is hidden in them, and do not fill the memory.
func TestForeignText(t *testing.T) {
	dir := workspace(t)
	c := connect(t, dir, Options{})
	long := strings.Repeat("0123456789", 5000)
	id := c.create("Innocent\u202etxt.exe", args{"description": "one\r\ntwo\x1b[31m\u2066", "notes": long})
	for range commentsShown + 5 {
		bd(t, dir, "comments", "add", id, "again")
	}
	out := c.do("show", args{"issue_id": id})
	i := out["issue"].(map[string]any)
	if i["title"] != `Innocent\u202etxt.exe` || i["description"] != "one\ntwo"+`\e[31m\u2066` {
		t.Errorf("%q, %q", i["title"], i["description"])
	}
	if notes := i["notes"].(string); !strings.HasPrefix(notes, long[:textLimit]+"… [33616 more bytes") || len(notes) > textLimit+100 {
		t.Errorf("notes of %d bytes: …%s", len(notes), notes[textLimit:])
	}
	if n := len(i["comments"].([]any)); n != commentsShown || !strings.Contains(fmt.Sprint(out["left_out"]), "5 older comments") {
		t.Errorf("%d comments; left out: %v", n, out["left_out"])
	}
	i = c.do("show", args{"issue_id": id, "whole": true})["issue"].(map[string]any)
	if i["notes"] != long || len(i["comments"].([]any)) != commentsShown+5 {
		t.Error("whole is not whole")
	}
}

func TestVisibleKeepsOrder(t *testing.T) {
	in := `{"b":1.0,"a":["x\u001b",null,true,{"c":"d"}],"big":12345678901234567890}`
	out, err := visible([]byte(in), 0)
	if want := `{"b":1.0,"a":["x\\e",null,true,{"c":"d"}],"big":12345678901234567890}`; string(out) != want || err != nil {
		t.Errorf("%s, %v, want %s", out, err, want)
	}
	if got := visibleText("aä€", 2); got != "a… [5 more bytes; show with whole=true has them]" {
		t.Errorf("cut inside a character: %q", got)
	}
	if _, err := visible([]byte(`{"a"`), 0); err == nil {
		t.Error("half an answer was accepted")
	}
}

// What a client puts before its model has its price.
func TestToolsAreShort(t *testing.T) {
	c := connect(t, workspace(t), Options{})
	tools, err := c.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(tools)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 24<<10 {
		t.Errorf("the list of tools has %d bytes", len(text))
	}
}
