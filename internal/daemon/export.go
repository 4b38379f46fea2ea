package daemon

import (
	"beads/internal/daemonlog"
	"context"
	"time"
)

// Export brings the snapshot that the settings name up to date, if they name
// one. Its failure is logged once, shown in the status and tried again later: a
// snapshot that cannot be written keeps nothing else from working.
func (d *Daemon) Export(ctx context.Context) error {
	d.export = time.Time{}
	path, text := d.config.Export, ""
	written, err := false, error(nil)
	if path != "" && d.opts.Export != nil {
		written, err = d.opts.Export(ctx, path)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // a stop has begun; nothing is wrong
	case err != nil:
		text = "export: " + daemonlog.Visible(err.Error())
		d.export = d.opts.Now().Add(maxRetry)
		if text != d.exportError {
			d.log.Error("Export failed: "+err.Error(), "operation", "export", "path", path, "error", err)
		}
	case written:
		d.log.Info("Snapshot written", "operation", "export", "path", path)
	}
	if text != d.exportError {
		d.exportError = text
		d.mu.Lock()
		d.state.LastError = text
		d.mu.Unlock()
		d.saveState()
	}
	return err
}
