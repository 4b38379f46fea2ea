// Package git reads what Git keeps in files: where a repository is, what its
// index tracks, what its configuration says. It runs no child process, takes no
// lock, writes nothing, and knows nothing of issues.
package git
