//go:build !linux

package watch

// networkFileSystem cannot tell on this system; daemon.yaml can ask for polling.
func networkFileSystem(string) string { return "" }
