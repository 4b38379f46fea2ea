package git

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// maxInclude is how deep include.path may nest, as in Git.
const maxInclude = 10

// Config maps a lower-case "section.key" or "section.subsection.key" (the
// subsection as written) to its values in reading order; the last one counts.
type Config map[string][]string

// Get is the value that counts, "" if the key is unset.
func (c Config) Get(key string) string {
	values := c[key]
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// Bool reads a value as Git does; unset is false.
func (c Config) Bool(key string) bool {
	switch strings.ToLower(c.Get(key)) {
	case "true", "yes", "on", "1":
		return true
	}
	return false
}

// LoadConfig reads the configuration that Git would use in the repository at
// gitDir and commonDir (both may be ""), from Git's files and without a child
// process. Files that cannot be read count as empty.
func LoadConfig(gitDir, commonDir, home string, getenv func(string) string) Config {
	include := &includer{home: home, gitDir: gitDir}
	config := userConfig(home, getenv, include)
	if commonDir != "" {
		config.tryRead(filepath.Join(commonDir, "config"), include)
	}
	if gitDir != "" && config.Bool("extensions.worktreeconfig") {
		config.tryRead(filepath.Join(gitDir, "config.worktree"), include)
	}
	return config
}

// UserName is user.name as Git would use it, see LoadConfig. A name is never
// worth a failure.
func UserName(gitDir, commonDir, home string, getenv func(string) string) string {
	return LoadConfig(gitDir, commonDir, home, getenv).Get("user.name")
}

// userConfig reads the system's and the user's configuration (git-config(1),
// FILES).
func userConfig(home string, getenv func(string) string, include *includer) Config {
	config := Config{}
	if getenv("GIT_CONFIG_NOSYSTEM") == "" {
		system := getenv("GIT_CONFIG_SYSTEM")
		if system == "" {
			system = "/etc/gitconfig"
		}
		config.tryRead(system, include)
	}
	if global := getenv("GIT_CONFIG_GLOBAL"); global != "" {
		config.tryRead(global, include)
		return config
	}
	xdg := getenv("XDG_CONFIG_HOME")
	if xdg == "" && home != "" {
		xdg = filepath.Join(home, ".config")
	}
	if xdg != "" {
		config.tryRead(filepath.Join(xdg, "git", "config"), include)
	}
	if home != "" {
		config.tryRead(filepath.Join(home, ".gitconfig"), include)
	}
	return config
}

func (c Config) tryRead(file string, include *includer) {
	_ = c.read(file, include) // as said at LoadConfig
}

// read adds what file says. A missing file says nothing. Includes are followed
// when include is given.
func (c Config) read(file string, include *includer) error {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("git configuration: %w", err)
	}
	section := ""
	lines := strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		if strings.HasPrefix(line, "[") {
			var rest string
			if section, rest, err = parseSection(line); err != nil {
				return fmt.Errorf("git configuration: %s:%d: %w", file, i+1, err)
			}
			line = strings.TrimSpace(rest)
		}
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		for continued(line) && i+1 < len(lines) {
			i++
			line = line[:len(line)-1] + strings.TrimRight(lines[i], "\r")
		}
		name, value, assigned := strings.Cut(line, "=")
		key := section + "." + strings.ToLower(strings.TrimSpace(name))
		text := "true" // a key alone is true
		if assigned {
			text = parseValue(value)
		}
		c[key] = append(c[key], text)
		include.follow(c, file, key, text)
	}
	return nil
}

// continued reports whether a line ends in a backslash that is not escaped.
func continued(line string) bool {
	n := len(line) - len(strings.TrimRight(line, `\`))
	return n%2 == 1
}

// parseSection reads [section], [section "sub"] or [section.sub].
func parseSection(line string) (section, rest string, err error) {
	quoted := false
	for i := 1; i < len(line); i++ {
		switch {
		case quoted && line[i] == '\\':
			i++
		case line[i] == '"':
			quoted = !quoted
		case line[i] == ']' && !quoted:
			name, sub, has := strings.Cut(line[1:i], " ")
			section = strings.ToLower(name)
			if has {
				section += "." + parseValue(sub)
			}
			return section, line[i+1:], nil
		}
	}
	return "", "", errors.New("section without ]")
}

// parseValue takes off quotes, escapes and comments.
func parseValue(s string) string {
	s = strings.TrimSpace(s)
	var b strings.Builder
	quoted, kept := false, 0 // kept: length up to the last character that is not an unquoted blank
	for i := 0; i < len(s); i++ {
		ch := s[i]
		switch {
		case ch == '"':
			quoted = !quoted
			kept = b.Len()
			continue
		case ch == '\\' && i+1 < len(s):
			i++
			switch s[i] {
			case 'n':
				ch = '\n'
			case 't':
				ch = '\t'
			default:
				ch = s[i]
			}
			b.WriteByte(ch)
			kept = b.Len()
			continue
		case !quoted && (ch == '#' || ch == ';'):
			return b.String()[:kept]
		}
		b.WriteByte(ch)
		if quoted || ch != ' ' && ch != '\t' {
			kept = b.Len()
		}
	}
	return b.String()[:kept]
}

// includer follows include.path and includeIf.gitdir:….path.
type includer struct {
	home, gitDir string
	depth        int
}

func (in *includer) follow(c Config, from, key, value string) {
	if in == nil || in.depth >= maxInclude || !strings.HasSuffix(key, ".path") {
		return
	}
	if key != "include.path" && !in.applies(strings.TrimSuffix(key, ".path")) {
		return
	}
	file := expandHome(value, in.home)
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(from), file)
	}
	in.depth++
	c.tryRead(file, in)
	in.depth--
}

// applies evaluates includeIf with gitdir: and gitdir/i:; other conditions
// cannot choose who one is in a way that is stable, and count as not met.
func (in *includer) applies(section string) bool {
	condition, ok := strings.CutPrefix(section, "includeif.")
	if !ok || in.gitDir == "" {
		return false
	}
	dir := filepath.ToSlash(in.gitDir)
	pattern, exact := strings.CutPrefix(condition, "gitdir:")
	if !exact {
		if pattern, ok = strings.CutPrefix(condition, "gitdir/i:"); !ok {
			return false
		}
		pattern, dir = strings.ToLower(pattern), strings.ToLower(dir)
	}
	pattern = expandHome(pattern, in.home)
	if !strings.HasPrefix(pattern, "/") {
		pattern = "**/" + pattern
	}
	if strings.HasSuffix(pattern, "/") {
		pattern += "**"
	}
	return matchPath(strings.Split(pattern, "/"), strings.Split(dir, "/"))
}

// matchPath matches segment by segment; ** stands for any number of segments.
func matchPath(pattern, parts []string) bool {
	if len(pattern) == 0 {
		return len(parts) == 0
	}
	if pattern[0] == "**" {
		return matchPath(pattern[1:], parts) || len(parts) > 0 && matchPath(pattern, parts[1:])
	}
	if len(parts) == 0 {
		return false
	}
	ok, err := path.Match(pattern[0], parts[0])
	return err == nil && ok && matchPath(pattern[1:], parts[1:])
}

func expandHome(file, home string) string {
	if rest, ok := strings.CutPrefix(file, "~/"); ok {
		return strings.TrimSuffix(home, "/") + "/" + rest
	}
	return file
}
