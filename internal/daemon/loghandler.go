package daemon

import (
	"context"
	"log/slog"
	"sync/atomic"

	"beads/internal/config"
	"beads/internal/daemonlog"
)

// liveHandler is a slog.Handler that can be exchanged under a logger in use.
type liveHandler struct {
	handler atomic.Pointer[slog.Handler]
}

// setLogging makes log entries follow c from now on.
func (d *Daemon) setLogging(c config.Daemon) {
	handler := daemonlog.NewLogger(d.opts.Log, c.LogFormat, c.LogLevel, d.opts.PID, d.opts.Zone).Handler()
	d.logging.handler.Store(&handler)
}

func (h *liveHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return (*h.handler.Load()).Enabled(ctx, level)
}

func (h *liveHandler) Handle(ctx context.Context, r slog.Record) error {
	return (*h.handler.Load()).Handle(ctx, r)
}

// WithAttrs and WithGroup give handlers that stay what they are.
func (h *liveHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return (*h.handler.Load()).WithAttrs(attrs)
}

func (h *liveHandler) WithGroup(name string) slog.Handler {
	return (*h.handler.Load()).WithGroup(name)
}
