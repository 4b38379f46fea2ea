package git

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// deadlineError is the end of our own patience.
type deadlineError struct{ after time.Duration }

func (e *deadlineError) Error() string { return fmt.Sprintf("no answer within %s", e.after) }

// withDeadline is a context that ends after d. Of a call that receives a pack it ends
// only when nothing more has come in such a time: a long history takes as long as the
// line needs, and what has come by then would be thrown away.
func (r *Runner) withDeadline(ctx context.Context, c call, d time.Duration) (context.Context, context.CancelFunc) {
	if !c.receives {
		return context.WithTimeoutCause(ctx, d, &deadlineError{d})
	}
	ctx, cancel := context.WithCancelCause(ctx)
	since := time.Now().Add(-time.Second) // coarse timestamps of the file system
	go func() {
		look := time.NewTicker(d)
		defer look.Stop()
		for came := int64(0); ; {
			select {
			case <-ctx.Done():
				return
			case <-look.C:
			}
			now := r.received(since)
			if now <= came {
				cancel(&deadlineError{d})
				return
			}
			came = now
		}
	}()
	return ctx, func() { cancel(nil) }
}

// received is how many bytes of packs have come that are not whole yet: git writes
// them to temporary files, which nobody else does for long.
func (r *Runner) received(since time.Time) (bytes int64) {
	packs := os.DirFS(filepath.Join(r.GitDir, "objects", "pack"))
	names, err := fs.Glob(packs, "tmp_pack_*")
	if err != nil {
		return 0
	}
	for _, name := range names {
		if info, err := fs.Stat(packs, name); err == nil && info.ModTime().After(since) {
			bytes += info.Size()
		}
	}
	return bytes
}
