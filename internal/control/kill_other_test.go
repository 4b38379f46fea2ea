//go:build !linux

package control

func listenForever(string) {}
