// Package issue is the domain: what an issue, a dependency and a comment are,
// which values their fields may take, and how they are selected. It is pure: no
// input or output, no clock, no randomness, and no import from this module.
package issue
