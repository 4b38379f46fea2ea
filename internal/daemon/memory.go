package daemon

import "runtime/debug"

// What a daemon has resident beside Go's heap, in bytes.
const (
	programMemory = 22 << 20 // the program's own pages, stacks, what SQLite always needs
	leastHeap     = 8 << 20  // with less the collector would do nothing but collect
	mostCache     = 8 << 20  // more does not make a rebuild faster
)

// CacheSize is how much a connection to the database may keep in memory, in
// bytes, for a daemon that is to stay within limit bytes.
func CacheSize(limit int64) int64 { return min(limit/24, mostCache) }

// setMemoryLimit makes the collector work harder as the process comes near to
// limit bytes resident. It holds for the whole process. SQLite allocates outside
// Go's heap, about twice its cache, and there are two connections: the refresh
// and the exchange.
func setMemoryLimit(limit int64) {
	debug.SetMemoryLimit(max(limit-programMemory-4*CacheSize(limit), leastHeap))
}

// freeMemory gives back what the last piece of work needed and waiting does not.
func (d *Daemon) freeMemory() {
	if err := d.ws.FreeMemory(); err != nil {
		d.log.Debug("Memory not freed", "operation", "memory", "error", err)
	}
	debug.FreeOSMemory()
	if err := forgetProgram(); err != nil {
		d.log.Debug("Memory not freed", "operation", "memory", "error", err)
	}
}
