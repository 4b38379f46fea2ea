package terminal

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Editor is the command line that the environment names: VISUAL, then EDITOR,
// then vi, which POSIX systems have.
func Editor(getenv func(string) string) string {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if line := getenv(name); line != "" {
			return line
		}
	}
	return "vi"
}

// Edit lets the editor change text and returns what it saved. The text is in a
// file of its own in dir, whose name ends in suffix. The caller removes the file
// when it has used the result: until then work is not lost. After an error of the
// editor there is nothing to keep, and path is empty.
func Edit(ctx context.Context, editor, dir, suffix, text string, s Streams) (edited, path string, err error) {
	file, err := os.CreateTemp(dir, "edit-*"+suffix) // 0600
	if err != nil {
		return "", "", fmt.Errorf("edit: %w", err)
	}
	path = file.Name()
	_, err = file.WriteString(text)
	if err = errors.Join(err, file.Close()); err == nil {
		if err = s.run(ctx, editor, s.Stdin, path); err != nil {
			err = fmt.Errorf("editor %q: %w", editor, err)
		}
	}
	if err != nil {
		return "", "", errors.Join(err, os.Remove(path))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", path, fmt.Errorf("read what the editor saved: %w", err)
	}
	return string(data), path, nil
}
