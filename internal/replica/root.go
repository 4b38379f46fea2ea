package replica

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"time"

	"beads/internal/git"
)

// The first commit of every history, frozen: clones that publish first at the
// same time make the same commit, and so are never unrelated.
const (
	formatFile = "format.json"
	formatText = `{"version":1}` + "\n"
	readmeFile = "README.md"
	readmeText = `# The operation log of bd

This is the issue tracker of this repository: every change that was ever made to
an issue, one JSON object a line, in files that do not change once they are here.
It lies on a ref of its own, which is no branch and is never checked out. The
program bd writes and reads it.

To see the issues, install bd and run in a clone of this repository:

    bd init
    bd list

- format.json says which version of the layout this is.
- ops/ holds the operations. A file is named by the first operation in it and by
  its content; directories are the minute in which it was published (UTC). The
  order of files means nothing: operations are ordered by their ids.
- Two histories are united by having the files of both. A plain git merge does
  that.

Do not edit files here; what is removed comes back from any other clone.
`
	rootMessage = "bd operation log\n"
)

// rootPerson made the first commit.
func rootPerson() git.Person {
	return git.Person{Name: "bd", Email: "bd@invalid", At: time.Unix(0, 0)}
}

// rootID is the name of the first commit in a repository whose object names
// have hexLength characters (gitformat: "TYPE SIZE\0CONTENT", hashed).
func rootID(hexLength int) string {
	object := func(kind, content string) []byte {
		var h hash.Hash
		if h = sha1.New(); hexLength == 2*sha256.Size {
			h = sha256.New()
		}
		fmt.Fprintf(h, "%s %d\x00%s", kind, len(content), content)
		return h.Sum(nil)
	}
	entry := func(name, content string) string {
		return "100644 " + name + "\x00" + string(object("blob", content))
	}
	tree := object("tree", entry(readmeFile, readmeText)+entry(formatFile, formatText)) // R < f
	const person = "bd <bd@invalid> 0 +0000"
	return hex.EncodeToString(object("commit", fmt.Sprintf("tree %x\nauthor %s\ncommitter %s\n\n%s", tree, person, person, rootMessage)))
}

// formatID is the name of format.json's content.
func formatID(hexLength int) string {
	blob := fmt.Sprintf("blob %d\x00%s", len(formatText), formatText)
	if hexLength == 2*sha256.Size {
		sum := sha256.Sum256([]byte(blob))
		return hex.EncodeToString(sum[:])
	}
	sum := sha1.Sum([]byte(blob))
	return hex.EncodeToString(sum[:])
}

// writeRoot writes the first commit.
func writeRoot(im *git.Importer) (string, error) {
	readme, err := im.Blob([]byte(readmeText))
	if err != nil {
		return "", err
	}
	format, err := im.Blob([]byte(formatText))
	if err != nil {
		return "", err
	}
	return im.Commit(git.Commit{
		Ref: LocalRef, By: rootPerson(), Message: rootMessage,
		Files: []git.File{{Path: formatFile, Blob: format}, {Path: readmeFile, Blob: readme}},
	})
}
