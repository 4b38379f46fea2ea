package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// configFile is a config.yaml. Keys have dots; nested mappings and dotted keys
// mean the same.
type configFile struct {
	name   string // for messages
	keys   []string
	values map[string]string
	lines  map[string]int
}

// parseConfig reads a config.yaml. Errors name the file, the line and the key.
func parseConfig(name string, data []byte) (*configFile, error) {
	c := &configFile{name: name, values: map[string]string{}, lines: map[string]int{}}
	root, err := configRoot(name, data)
	if err != nil || root == nil {
		return c, err
	}
	return c, c.collect("", root, 0)
}

// configRoot is the mapping that a config.yaml is; nil if it is empty.
func configRoot(name string, data []byte) (*ast.MappingNode, error) {
	file, err := parser.ParseBytes(data, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", name, yamlReason(err))
	}
	var root *ast.MappingNode
	for _, doc := range file.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.CommentGroupNode, *ast.NullNode:
		case *ast.MappingNode:
			if root != nil {
				return nil, fmt.Errorf("%s: more than one YAML document", name)
			}
			root = body
		default:
			return nil, fmt.Errorf("%s: not a mapping of keys to values", name)
		}
	}
	return root, nil
}

// yamlReason is the first line of a YAML error, "[2:1] …"; the rest is a
// picture of the source.
func yamlReason(err error) string {
	reason, _, _ := strings.Cut(err.Error(), "\n")
	return reason
}

// collect flattens a mapping.
func (c *configFile) collect(prefix string, mapping *ast.MappingNode, depth int) error {
	for _, member := range mapping.Values {
		line := member.Key.GetToken().Position.Line
		key := prefix + configText(member.Key)
		if nested, ok := member.Value.(*ast.MappingNode); ok && depth < 4 {
			if err := c.collect(key+".", nested, depth+1); err != nil {
				return err
			}
			continue
		}
		value, ok := scalar(member.Value)
		if !ok {
			return fmt.Errorf("%s:%d: %s: a single value or a list is needed", c.name, line, key)
		}
		if _, twice := c.values[key]; twice {
			return fmt.Errorf("%s:%d: %s is given twice", c.name, line, key)
		}
		c.keys = append(c.keys, key)
		c.values[key], c.lines[key] = value, line
	}
	return nil
}

// scalar is a value as text, a list with commas.
func scalar(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.SequenceNode:
		parts := make([]string, 0, len(n.Values))
		for _, element := range n.Values {
			part, ok := scalar(element)
			if !ok {
				return "", false
			}
			parts = append(parts, part)
		}
		return strings.Join(parts, ","), true
	case *ast.NullNode:
		return "", true
	case *ast.StringNode, *ast.LiteralNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode:
		return configText(n), true
	}
	return "", false
}

func configText(node ast.Node) string {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	}
	return node.GetToken().Value
}

// errHandEdit is for files whose form cannot be changed without a risk.
var errHandEdit = errors.New("its form is not one that bd can change: edit it by hand")

// setConfig changes one key in the text of a config.yaml and keeps comments,
// order and everything else. A key that is not there is added at the end. The
// result is read again before it is believed.
func setConfig(name string, data []byte, key, value string) ([]byte, error) {
	before, err := parseConfig(name, data)
	if err != nil {
		return nil, err
	}
	var text string
	if _, there := before.values[key]; there {
		if text, err = replaceConfig(name, data, key, value); err != nil {
			return nil, err
		}
	} else {
		encoded, err := yaml.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		text = string(data)
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		text += key + ": " + string(encoded)
	}
	after, err := parseConfig(name, []byte(text))
	if err != nil || after.values[key] != value || len(after.keys) < len(before.keys) {
		return nil, fmt.Errorf("%s: %w", name, errHandEdit)
	}
	return []byte(text), nil
}

// replaceConfig gives a key that is there another value.
func replaceConfig(name string, data []byte, key, value string) (string, error) {
	file, err := parser.ParseBytes(data, parser.ParseComments)
	if err != nil {
		return "", fmt.Errorf("%s: %s", name, yamlReason(err))
	}
	encoded, err := yaml.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	fresh, err := parser.ParseBytes(append([]byte("x: "), encoded...), 0)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	donor, ok := fresh.Docs[0].Body.(*ast.MappingNode)
	if !ok {
		return "", fmt.Errorf("%s: %w", name, errHandEdit)
	}
	for _, doc := range file.Docs {
		if mapping, at := findConfig(doc.Body, "", key); mapping != nil {
			replacement := donor.Values[0].Value
			if err := replacement.SetComment(mapping.Values[at].Value.GetComment()); err != nil {
				return "", fmt.Errorf("%s: %w", name, err)
			}
			mapping.Values[at].Value = replacement
			return file.String(), nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, errHandEdit)
}

// findConfig finds the mapping that holds a key, and where in it.
func findConfig(node ast.Node, prefix, key string) (*ast.MappingNode, int) {
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		return nil, 0
	}
	for i, member := range mapping.Values {
		name := prefix + configText(member.Key)
		if name == key {
			return mapping, i
		}
		if strings.HasPrefix(key, name+".") {
			if found, at := findConfig(member.Value, name+".", key); found != nil {
				return found, at
			}
		}
	}
	return nil, 0
}

// unsetConfig removes one key from the text of a config.yaml.
func unsetConfig(name string, data []byte, key string) ([]byte, error) {
	file, err := parser.ParseBytes(data, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", name, yamlReason(err))
	}
	for _, doc := range file.Docs {
		mapping, at := findConfig(doc.Body, "", key)
		if mapping == nil {
			continue
		}
		if len(mapping.Values) == 1 && mapping != doc.Body {
			return nil, fmt.Errorf("%s: %s is alone in its section: %w", name, key, errHandEdit)
		}
		if len(mapping.Values) == 1 {
			return []byte{}, nil
		}
		mapping.Values = append(mapping.Values[:at], mapping.Values[at+1:]...)
		text := []byte(file.String())
		after, err := parseConfig(name, text)
		if err != nil {
			return nil, err
		}
		if _, still := after.values[key]; still {
			return nil, fmt.Errorf("%s: %w", name, errHandEdit)
		}
		return text, nil
	}
	return data, nil
}
