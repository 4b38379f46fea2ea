package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// FileName is the settings file of the workspace, and of the user.
const FileName = "config.yaml"

// File is a config.yaml. Keys have dots; nested mappings and dotted keys mean
// the same. It does not change once it is read.
type File struct {
	Name   string   // for messages
	Keys   []string // in the file's order
	values map[string]string
	lines  map[string]int
}

// Value is the key's value as text, a list with commas; "" if it is not there.
func (f *File) Value(key string) string { return f.values[key] }

// Line is where the key stands, 0 if it is not there.
func (f *File) Line(key string) int { return f.lines[key] }

// ParseFile reads a config.yaml. It fails with an Error.
func ParseFile(name string, data []byte) (*File, error) {
	f := &File{Name: name, values: map[string]string{}, lines: map[string]int{}}
	tree, err := parseTree(name, data)
	if err != nil {
		return f, err
	}
	root, err := fileRoot(name, tree)
	if err != nil || root == nil {
		return f, err
	}
	return f, f.collect("", root, 0)
}

// parseTree is the syntax tree with its comments, so that it can be written
// again.
func parseTree(name string, data []byte) (*ast.File, error) {
	if len(data) > maxFile {
		return nil, tooLarge(name)
	}
	tree, err := parser.ParseBytes(data, parser.ParseComments)
	if err != nil {
		return nil, yamlError(name, err)
	}
	return tree, nil
}

// fileRoot is the mapping that a config.yaml is; nil if it is empty.
func fileRoot(name string, tree *ast.File) (*ast.MappingNode, error) {
	var root *ast.MappingNode
	for _, doc := range tree.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.CommentGroupNode, *ast.NullNode:
		case *ast.MappingNode:
			if root != nil {
				return nil, &Error{File: name, Line: nodeLine(body), Reason: "more than one YAML document"}
			}
			root = body
		default:
			return nil, &Error{File: name, Line: nodeLine(body), Reason: "not a mapping of keys to values"}
		}
	}
	return root, nil
}

// collect flattens a mapping.
func (f *File) collect(prefix string, mapping *ast.MappingNode, depth int) error {
	for _, member := range mapping.Values {
		key := prefix + member.Key.GetToken().Value
		if nested, ok := member.Value.(*ast.MappingNode); ok && depth < 4 {
			if err := f.collect(key+".", nested, depth+1); err != nil {
				return err
			}
			continue
		}
		v, err := scalarOrList(member.Value)
		if err != nil {
			return &Error{File: f.Name, Line: line(member), Key: key, Reason: "must be a single value or a list"}
		}
		if _, twice := f.values[key]; twice {
			return &Error{File: f.Name, Line: line(member), Key: key, Reason: "is given twice"}
		}
		f.Keys = append(f.Keys, key)
		f.values[key], f.lines[key] = strings.Join(v.items, ","), line(member)
	}
	return nil
}

// errHandEdit is for files whose form cannot be changed without a risk.
var errHandEdit = errors.New("its form is not one that bd can change: edit it by hand")

// SetKey changes one key in the text of a config.yaml and keeps comments,
// order and everything else. A key that is not there is added at the end. The
// result is read again before it is believed.
func SetKey(name string, data []byte, key, value string) ([]byte, error) {
	before, err := ParseFile(name, data)
	if err != nil {
		return nil, err
	}
	var text string
	if _, there := before.values[key]; there {
		if text, err = replaceKey(name, data, key, value); err != nil {
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
	after, err := ParseFile(name, []byte(text))
	if err != nil || after.values[key] != value || len(after.Keys) < len(before.Keys) {
		return nil, fmt.Errorf("%s: %w", name, errHandEdit)
	}
	return []byte(text), nil
}

// replaceKey gives a key that is there another value.
func replaceKey(name string, data []byte, key, value string) (string, error) {
	file, err := parseTree(name, data)
	if err != nil {
		return "", err
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
		if mapping, at := findKey(doc.Body, "", key); mapping != nil {
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

// findKey finds the mapping that holds a key, and where in it.
func findKey(node ast.Node, prefix, key string) (*ast.MappingNode, int) {
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		return nil, 0
	}
	for i, member := range mapping.Values {
		name := prefix + member.Key.GetToken().Value
		if name == key {
			return mapping, i
		}
		if strings.HasPrefix(key, name+".") {
			if found, at := findKey(member.Value, name+".", key); found != nil {
				return found, at
			}
		}
	}
	return nil, 0
}

// UnsetKey removes one key from the text of a config.yaml.
func UnsetKey(name string, data []byte, key string) ([]byte, error) {
	file, err := parseTree(name, data)
	if err != nil {
		return nil, err
	}
	for _, doc := range file.Docs {
		mapping, at := findKey(doc.Body, "", key)
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
		after, err := ParseFile(name, text)
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
