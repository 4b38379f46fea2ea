// Package graph lays out issues and their dependencies in steps, what must come
// first before what waits for it, and draws that as text, DOT, Mermaid or SVG.
//
// It is pure: the same graph gives the same bytes. A cycle, which clones can make
// together, is cut for the layout and drawn all the same. The layout follows K.
// Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical
// system structures", 1981: ranks, then an order within each rank that has few
// crossings, then positions.
package graph
