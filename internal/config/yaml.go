package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"beads/internal/spelling"
)

// readYAML applies the file's settings. It walks the syntax tree instead of
// decoding into a struct, so that every message has its line.
func (c *Daemon) readYAML(file string, data []byte) error {
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return yamlError(file, err)
	}
	if len(tree.Docs) > 1 {
		return &Error{File: file, Line: documentLine(tree.Docs[1]), Reason: "one document only"}
	}
	if len(tree.Docs) == 0 || tree.Docs[0].Body == nil {
		return nil
	}
	top, err := pairs(file, "", tree.Docs[0].Body)
	if err != nil {
		return err
	}
	for _, pair := range top {
		if name := pair.Key.GetToken().Value; name != "daemon" {
			reason := `unknown key; the settings stand below "daemon:"`
			return &Error{File: file, Line: line(pair), Key: name, Reason: reason}
		}
		settings, err := pairs(file, "daemon", pair.Value)
		if err != nil {
			return err
		}
		for _, setting := range settings {
			if err := c.setNode(file, setting); err != nil {
				return err
			}
		}
	}
	return nil
}

// documentLine is where a document's content begins. One without a body has no
// token of its own, and asking for it panics: its marker stands for it.
func documentLine(d *ast.DocumentNode) int {
	if d.Body != nil {
		return nodeLine(d.Body)
	}
	if d.Start != nil && d.Start.Position != nil {
		return d.Start.Position.Line
	}
	return 0
}

// nodeLine is the line of a node, 0 where the parser gave none.
func nodeLine(node ast.Node) int {
	if t := node.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

func (c *Daemon) setNode(file string, pair *ast.MappingValueNode) error {
	name := pair.Key.GetToken().Value
	known := keys()
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = k.name
		if k.name != name {
			continue
		}
		v, err := scalarOrList(pair.Value)
		if err != nil {
			return &Error{File: file, Line: line(pair), Key: name, Reason: "must be " + k.allowed}
		}
		return c.set(k, v, file, line(pair))
	}
	reason := "unknown key; known are " + strings.Join(names, ", ")
	if near := spelling.Nearest(strings.ToLower(name), names, max(1, len(name)/4)); near != "" {
		reason = fmt.Sprintf("unknown key; did you mean %s?", near)
	}
	return &Error{File: file, Line: line(pair), Key: name, Reason: reason}
}

// pairs are the members of a mapping; an empty one has none.
func pairs(file, key string, node ast.Node) ([]*ast.MappingValueNode, error) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values, nil
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, nil
	case nil, *ast.NullNode, *ast.CommentGroupNode:
		return nil, nil
	}
	return nil, &Error{File: file, Line: nodeLine(node), Key: key, Reason: "must be a mapping of settings"}
}

// scalarOrList takes plain values only: no anchors, aliases, tags or nesting.
func scalarOrList(node ast.Node) (value, error) {
	if sequence, ok := node.(*ast.SequenceNode); ok {
		v := value{list: true}
		for _, item := range sequence.Values {
			text, err := scalar(item)
			if err != nil {
				return value{}, err
			}
			v.items = append(v.items, text)
		}
		return v, nil
	}
	text, err := scalar(node)
	return value{items: []string{text}}, err
}

func scalar(node ast.Node) (string, error) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		if n.Value == nil {
			return "", nil
		}
		return n.Value.Value, nil
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode:
		return n.GetToken().Value, nil
	case *ast.NullNode:
		return "", nil
	}
	return "", errors.New("not a plain value")
}

func line(pair *ast.MappingValueNode) int { return nodeLine(pair.Key) }

// yamlError gives a syntax error our form: file, line, one line of text.
func yamlError(file string, err error) error {
	var syntax yaml.Error
	if errors.As(err, &syntax) && syntax.GetToken() != nil && syntax.GetToken().Position != nil {
		return &Error{File: file, Line: syntax.GetToken().Position.Line, Reason: syntax.GetMessage()}
	}
	message, _, _ := strings.Cut(err.Error(), "\n")
	return &Error{File: file, Reason: message}
}
