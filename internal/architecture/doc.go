// Package architecture holds nothing but tests, which read the source of the
// whole module and enforce the rules that no single package can: the direction
// of imports, where processes are started or ended, one doc comment for each
// package, and no mutable state at package level. Every rule has its reason
// next to it; who breaks one is told both.
package architecture
