package git

import (
	"fmt"
	"strings"
)

// CheckRef reports what is wrong with a full ref name, by the rules of
// git-check-ref-format(1), for a ref that is pushed to again and again: a tag is
// moved by force only.
func CheckRef(name string) error {
	if !strings.HasPrefix(name, "refs/") || strings.Count(name, "/") < 2 {
		return fmt.Errorf("ref %q is not a full name such as refs/beads/ops", name)
	}
	if strings.HasPrefix(name, "refs/tags/") {
		return fmt.Errorf("ref %q is a tag, which a push does not move", name)
	}
	if strings.Contains(name, "..") || strings.Contains(name, "@{") || strings.HasSuffix(name, ".") {
		return fmt.Errorf("ref %q is not a valid name", name)
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c == 0x7f || strings.IndexByte(`~^:?*[\`, c) >= 0 {
			return fmt.Errorf("ref %q has a character that a ref must not have", name)
		}
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' || strings.HasSuffix(part, ".lock") {
			return fmt.Errorf("ref %q is not a valid name", name)
		}
	}
	return nil
}

// CheckRemote reports what is wrong with the name of a remote: it becomes an
// argument of git and a part of a ref.
func CheckRemote(name string) error {
	if name == "" || name[0] == '-' {
		return fmt.Errorf("%q is not the name of a remote", name)
	}
	if err := CheckRef("refs/remotes/" + name); err != nil {
		return fmt.Errorf("%q is not the name of a remote", name)
	}
	return nil
}
