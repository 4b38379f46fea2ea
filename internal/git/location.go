package git

import (
	"path/filepath"
	"strings"
)

// Location is a name for the place that a remote's URL points to, the same for
// clones that write it differently: https://host/a/b.git, git@host:a/b and
// ssh://git@host:22/a/b/ are all host/a/b. A path on this machine, also one with
// file://, is made absolute from base, the top of the worktree, and its links are
// resolved. It serves to compare, not to connect.
func Location(url, base string) string {
	if path, ok := strings.CutPrefix(url, "file://"); ok {
		return resolve(path, base)
	}
	_, rest, hasScheme := strings.Cut(url, "://")
	var host, path string
	if hasScheme {
		host, path, _ = strings.Cut(rest, "/")
	} else {
		colon, slash := strings.IndexByte(url, ':'), strings.IndexByte(url, '/')
		if colon < 0 || slash >= 0 && slash < colon {
			return resolve(url, base)
		}
		host, path = url[:colon], url[colon+1:]
	}
	host = host[strings.LastIndexByte(host, '@')+1:]
	if name, port, ok := strings.Cut(host, ":"); ok && strings.Trim(port, "0123456789") == "" {
		host = name
	}
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	return strings.ToLower(host) + "/" + path
}

func resolve(path, base string) string {
	if path == "" {
		return ""
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(base, path)
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		return resolved
	}
	return filepath.Clean(path)
}
