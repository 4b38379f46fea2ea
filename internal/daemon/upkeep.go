package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"beads/internal/daemonlog"
	"beads/internal/projection"
	"beads/internal/workspace"
)

const (
	upkeepInterval = time.Hour
	upkeepRetry    = time.Minute // when somebody works or has the lock

	// walLarge is the size in bytes from which the WAL is not left to wait for
	// the hour: who opens the database after a crash reads it whole.
	walLarge = 4 << 20

	// logAge is when the log is rotated however small it is, so that removing
	// by age can remove something.
	logAge = 7 * 24 * time.Hour
)

// upkeep is what the maintenance step remembers. Its fields are the loop's.
type upkeep struct {
	next time.Time
	mark projection.Mark // of the database after the last maintenance
}

func (u *upkeep) wait(now time.Time) time.Duration { return max(u.next.Sub(now), 0) }

// Maintain keeps database and log small and fast, if anybody has written since
// the last time: an untouched workspace is left alone. It waits for nobody; what
// it cannot do now is tried again in a minute. It fails only to leave.
func (d *Daemon) Maintain(ctx context.Context) error {
	now := d.opts.Now()
	d.upkeep.next = now.Add(upkeepInterval)
	if err := d.rotateOld(now); err != nil {
		d.log.Warn("Log not rotated", "operation", "maintenance", "error", err)
	}
	before, err := projection.LookAt(d.opts.Place.DB)
	if err != nil || before == d.upkeep.mark || before == (projection.Mark{}) {
		return nil // health tells what is wrong with it
	}
	if err := d.Look(); err != nil {
		return err
	}
	for more := true; more; {
		if more, err = d.ws.Maintain(ctx); err != nil {
			break
		}
	}
	var locked *workspace.LockedError
	switch {
	case err == nil:
		d.log.Debug("Maintained", "operation", "maintenance", "duration", d.opts.Now().Sub(now))
	case ctx.Err() != nil:
		return leaveError{"a stop has begun"}
	case errors.As(err, &locked):
		d.upkeep.next = now.Add(upkeepRetry)
		return nil
	default:
		d.health.doubt()
		d.log.Warn("Maintenance failed: "+err.Error(), "operation", "maintenance", "error", err)
	}
	d.upkeep.mark, _ = projection.LookAt(d.opts.Place.DB)
	return nil
}

// rotateOld begins a new log when the one there is began long ago.
func (d *Daemon) rotateOld(now time.Time) error {
	log, ok := d.logFile.(interface{ Rotate() error })
	if !ok {
		return nil // the terminal
	}
	f, err := daemonlog.OpenFile(filepath.Join(d.opts.Place.Dir, daemonlog.Name))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first := daemonlog.ParseEntry(firstLine(f))
	if err := f.Close(); err != nil || first == nil || now.Sub(first.Timestamp) < logAge {
		return err
	}
	// lumberjack would make a directory again that was removed.
	if current, err := d.lock.Current(); err != nil || !current {
		return err
	}
	if err := log.Rotate(); err != nil {
		return fmt.Errorf("rotate %s: %w", daemonlog.Name, err)
	}
	return nil
}

func firstLine(f *os.File) []byte {
	line, err := bufio.NewReaderSize(f, 4096).ReadSlice('\n')
	if err != nil {
		return nil
	}
	return line
}
