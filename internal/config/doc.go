// Package config reads the settings of one machine: daemon.yaml and the
// environment over its defaults. What is not understood is an [Error] that names
// file, line, key and what is allowed; nothing is guessed.
//
// Nothing here writes, keeps state or runs in the background; the files that it
// is handed may come from a hostile repository, so their size is bounded and
// only plain values are taken.
package config
