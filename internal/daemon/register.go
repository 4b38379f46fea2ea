package daemon

import "beads/internal/registry"

// register records the daemon where bd daemons looks. That it cannot be found
// there is no reason not to run.
func (d *Daemon) register() {
	if err := d.opts.Registry.Put(d.entry()); err != nil {
		d.log.Warn("Not recorded among this machine's daemons", "operation", "start", "error", err)
	}
}

// unregister removes what register recorded, unless that is a later daemon's by
// now. It comes before the lock is free, so that a later one can only follow.
func (d *Daemon) unregister() {
	if d.log == nil {
		return // it never got that far
	}
	if err := d.opts.Registry.Remove(d.entry()); err != nil {
		d.log.Warn("Still recorded among this machine's daemons", "operation", "stop", "error", err)
	}
}

func (d *Daemon) entry() registry.Entry {
	o := d.opts
	e := registry.Entry{
		Workspace: o.Place.Dir, Lock: o.Place.DaemonLock(), PID: o.PID,
		StartTime: d.lock.StartTime(), Hostname: o.Hostname, Version: o.Version,
	}
	if d.socket != nil {
		e.Socket = d.socket.Path()
	}
	return e
}
