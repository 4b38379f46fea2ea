// Package config reads the settings of one machine: the environment over
// daemon.yaml over config.yaml over the defaults. What is not understood is an
// [Error] that names file, line, key and what is allowed; nothing is guessed.
// What the keys of a config.yaml mean is for who asks, but for the daemon's.
//
// Nothing here writes, keeps state or runs in the background; the files that it
// is handed may come from a hostile repository, so their size is bounded and
// only plain values are taken.
package config
