//go:build !linux

package daemon

// forgetProgram leaves it to the kernel.
func forgetProgram() error { return nil }
