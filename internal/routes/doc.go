// Package routes reads a routes.jsonl: which workspace the ids of another prefix
// belong to, one route a line, between lines that are blank or begin with #.
//
// It is pure and never fails. The file may come from a hostile repository: size,
// lines and their number are bounded, a route holds a prefix and a relative path
// and nothing else, and what cannot be read is listed and leads nowhere. Whether
// there is a workspace at a path, and whose, is for who follows the route.
package routes
