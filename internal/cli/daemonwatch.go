package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"time"

	"beads/internal/workspace"
)

const watchInterval = time.Second

// watchDaemon is bd daemon status --watch. It ends with ctx, and when nobody
// reads its output any more; neither is a failure.
func (a *app) watchDaemon(ctx context.Context, place workspace.Place) error {
	again := time.NewTicker(watchInterval)
	defer again.Stop()
	for first := true; ; first = false {
		s, err := a.inspectDaemon(ctx, place)
		if err == nil {
			err = a.printFrame(s, first)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
	}
}

// printFrame shows s in the place of the frame before, where that can be done:
// on a terminal. It clears line by line, since a screen that is emptied first
// flickers.
func (a *app) printFrame(s daemonStatusJSON, first bool) error {
	if a.json {
		line, err := json.Marshal(s)
		if err != nil {
			return err
		}
		if _, err := a.dataOutput().Write(append(line, '\n')); err != nil {
			return err
		}
		return a.out.Flush()
	}
	if !a.StdoutTerminal || a.dumb() {
		if !first {
			a.printf("\n")
		}
		a.printDaemonStatus(s)
		return a.out.Flush()
	}
	var frame bytes.Buffer
	screen := a.out
	a.out = bufio.NewWriter(&frame)
	a.printDaemonStatus(s)
	err := a.out.Flush()
	a.out = screen
	if err != nil {
		return err
	}
	if first {
		a.printf("\x1b[2J")
	}
	a.printf("\x1b[H%s\x1b[J", bytes.ReplaceAll(frame.Bytes(), []byte("\n"), []byte("\x1b[K\n")))
	return a.out.Flush()
}
