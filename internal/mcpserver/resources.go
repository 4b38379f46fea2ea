package mcpserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	issuePrefix   = "beads://issue/"
	issueTemplate = issuePrefix + "{id}"
	resourceLimit = 20  // ready issues that are listed as resources
	completionMax = 100 // the protocol's own limit
	completionSee = 500 // issues that are looked through for one
)

// addResources offers what a client may attach to a conversation.
func (s *server) addResources() {
	text := func(mime string, read func(context.Context) ([]byte, error)) mcp.ResourceHandler {
		return func(ctx context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
			content, err := read(ctx)
			return contents(req.Params.URI, mime, content, err)
		}
	}
	s.mcp.AddResource(&mcp.Resource{
		URI: "beads://quickstart", Name: "quickstart", Title: "How to work with bd", MIMEType: "text/markdown",
		Description: "What the tools are for, in the order in which they are used",
	}, text("text/markdown", func(context.Context) ([]byte, error) { return []byte(s.instructions() + "\n"), nil }))
	s.mcp.AddResource(&mcp.Resource{
		URI: "beads://ready", Name: "ready", Title: "What can be worked on", MIMEType: "application/json",
		Description: "Issues that nothing blocks, the most urgent first",
	}, text("application/json", func(ctx context.Context) ([]byte, error) {
		found, err := s.ready(ctx, readyArguments{Limit: resourceLimit})
		return marshal(found, err)
	}))
	s.mcp.AddResource(&mcp.Resource{
		URI: "beads://prime", Name: "prime", Title: "Where you are", MIMEType: "application/json",
		Description: "Who you are, what you have in hand, what is ready, which claims you lost",
	}, text("application/json", func(ctx context.Context) ([]byte, error) { return marshal(s.prime(ctx)) }))
	s.mcp.AddResourceTemplate(&mcp.ResourceTemplate{
		URITemplate: issueTemplate, Name: "issue", Title: "An issue", MIMEType: "application/json",
		Description: "One issue, as the tool show has it",
	}, s.issue)
}

// primed is what an agent should know before it begins.
type primed struct {
	Actor      string            `json:"actor"`
	Session    string            `json:"session,omitempty"`
	Mine       []summary         `json:"mine"`
	Ready      []summary         `json:"ready"`
	MoreReady  int               `json:"more_ready"`
	ClaimsLost []json.RawMessage `json:"claims_lost"`
}

func (s *server) prime(ctx context.Context) (primed, error) {
	return read[primed](ctx, s, "", command("prime"))
}

func (s *server) issue(ctx context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	id, err := url.PathUnescape(strings.TrimPrefix(req.Params.URI, issuePrefix))
	if err != nil {
		return nil, mcp.ResourceNotFoundError(req.Params.URI)
	}
	content, err := marshal(s.show(ctx, showArguments{ID: id}))
	return contents(req.Params.URI, "application/json", content, err)
}

func marshal[T any](v T, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// contents are the one content of a resource. A resource has no form for a
// failure of its own, so a problem becomes an error of the protocol, whose data
// it is.
func contents(uri, mime string, content []byte, err error) (*mcp.ReadResourceResult, error) {
	var p *problem
	if errors.As(err, &p) {
		refused := &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: p.Message + ". " + p.Next, Data: json.RawMessage(p.Error())}
		switch p.Code {
		case "not_found", "deleted", "ambiguous":
			refused.Code = jsonrpc.CodeInvalidParams // which the protocol has for it
		}
		return nil, refused
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", uri, err)
	}
	return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: uri, MIMEType: mime, Text: string(content)}}}, nil
}

// readyResources are ready issues, for clients that let people choose from the
// list. Without a workspace there are none.
func (s *server) readyResources(ctx context.Context) []*mcp.Resource {
	found, err := s.ready(ctx, readyArguments{Limit: resourceLimit})
	if err != nil {
		return nil
	}
	resources := make([]*mcp.Resource, len(found.Issues))
	for n, i := range found.Issues {
		resources[n] = &mcp.Resource{
			URI: issuePrefix + url.PathEscape(i.ID), Name: i.ID, Title: i.Title, MIMEType: "application/json",
			Description: fmt.Sprintf("ready %s, priority %d", i.Type, i.Priority),
		}
	}
	return resources
}

// complete offers ids of issues that are not closed, the last changed first.
// It never fails: who types has no use for an error.
func (s *server) complete(ctx context.Context, req *mcp.CompleteRequest) (*mcp.CompleteResult, error) {
	result := &mcp.CompleteResult{Completion: mcp.CompletionResultDetails{Values: []string{}}}
	if ref := req.Params.Ref; ref == nil || ref.URI != issueTemplate || req.Params.Argument.Name != "id" {
		return result, nil
	}
	issues, err := read[[]summary](ctx, s, "", command("list", "--sort=updated", fmt.Sprintf("--limit=%d", completionSee)))
	if err != nil {
		return result, nil
	}
	for _, i := range issues {
		_, short, _ := strings.Cut(i.ID, "-")
		typed := req.Params.Argument.Value
		switch {
		case !strings.HasPrefix(i.ID, typed) && !strings.HasPrefix(short, typed):
		case len(result.Completion.Values) == completionMax:
			result.Completion.HasMore = true
			return result, nil
		default:
			result.Completion.Values = append(result.Completion.Values, i.ID)
		}
	}
	return result, nil
}
