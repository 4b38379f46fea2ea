package control

// peer is the process at the other end of a connection, as the kernel says.
type peer struct {
	known bool // false: this system cannot tell, and the socket's directory alone protects
	uid   int
	pid   int // 0 if unknown
}
