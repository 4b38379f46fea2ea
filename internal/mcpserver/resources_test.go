package mcpserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func (c client) resource(uri string) (string, error) {
	read, err := c.ReadResource(c.t.Context(), &mcp.ReadResourceParams{URI: uri})
	if err != nil {
		return "", err
	}
	return read.Contents[0].Text, nil
}

func TestResources(t *testing.T) {
	c := connect(t, workspace(t), Options{})
	id := c.create("A long story")
	listed, err := c.ListResources(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var uris []string
	for _, r := range listed.Resources {
		uris = append(uris, r.URI)
	}
	if got := strings.Join(uris, " "); got != "beads://prime beads://quickstart beads://ready beads://issue/"+id {
		t.Errorf("resources %s", got)
	}
	templates, err := c.ListResourceTemplates(t.Context(), nil)
	if err != nil || templates.ResourceTemplates[0].URITemplate != "beads://issue/{id}" {
		t.Errorf("templates %v, %v", templates, err)
	}
	for uri, holds := range map[string]string{
		"beads://issue/" + id: `"title":"A long story"`, "beads://issue/" + id[:7]: `"title":"A long story"`,
		"beads://ready": `"id":"` + id, "beads://prime": `"actor":"ada"`, "beads://quickstart": "claim without issue_id",
	} {
		if text, err := c.resource(uri); err != nil || !strings.Contains(text, holds) {
			t.Errorf("%s: %s, %v", uri, text, err)
		}
	}
	_, err = c.resource("beads://issue/bd-zzzzzz")
	var refused *jsonrpc.Error
	var p problem
	if !errors.As(err, &refused) || json.Unmarshal(refused.Data, &p) != nil || p.Code != "not_found" || p.Next == "" {
		t.Errorf("an issue that there is not: %v, %+v", err, p)
	}
	if _, err := c.resource("beads://elsewhere"); err == nil {
		t.Error("a resource that there is not was read")
	}
}

// Without a workspace a client can still connect and be told what to do.
func TestResourcesWithoutWorkspace(t *testing.T) {
	c := connect(t, t.TempDir(), Options{})
	listed, err := c.ListResources(t.Context(), nil)
	if err != nil || len(listed.Resources) != 3 {
		t.Errorf("resources %v, %v", listed, err)
	}
	if _, err := c.resource("beads://ready"); err == nil || !strings.Contains(err.Error(), "bd init") {
		t.Errorf("beads://ready: %v", err)
	}
}

func TestCompletion(t *testing.T) {
	c := connect(t, workspace(t), Options{})
	c.create("One", args{"id": "bd-abcd1"})
	c.create("Two", args{"id": "bd-abcd2"})
	c.create("Three", args{"id": "bd-xyz"})
	complete := func(uri, argument, value string) string {
		t.Helper()
		result, err := c.Complete(t.Context(), &mcp.CompleteParams{
			Ref:      &mcp.CompleteReference{Type: "ref/resource", URI: uri},
			Argument: mcp.CompleteParamsArgument{Name: argument, Value: value},
		})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(result.Completion.Values)
	}
	for _, tt := range []struct{ about, uri, argument, value, want string }{
		{"the last changed first", issueTemplate, "id", "bd-a", "[bd-abcd2 bd-abcd1]"},
		{"without the prefix", issueTemplate, "id", "xy", "[bd-xyz]"},
		{"nothing fits", issueTemplate, "id", "-", "[]"},
		{"another argument", issueTemplate, "title", "bd", "[]"},
		{"another template", "beads://other/{id}", "id", "bd", "[]"},
	} {
		if got := complete(tt.uri, tt.argument, tt.value); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.about, got, tt.want)
		}
	}
}
