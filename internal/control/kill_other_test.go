//go:build unix && !linux

package control

func listenForever(string) {}
