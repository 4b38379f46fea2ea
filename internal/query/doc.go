// Package query reads the expressions of bd query, such as
//
//	priority<=1 AND (label=auth OR title~login) AND NOT assignee=none
//
// into an [issue.Condition]. It is pure: dates are read by a function that is
// passed in, and nothing is looked up. Input is bounded in length and depth.
//
// The grammar, in which words may be written in any case:
//
//	expression = term { ("OR" | "||") term }
//	term       = factor { ["AND" | "&&"] factor }
//	factor     = ("NOT" | "!") factor | "(" expression ")" | test
//	test       = field relation value | flag
//	relation   = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~"
//	value      = word | 'text' | "text" | "none"
package query
