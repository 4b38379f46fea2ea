package projection

import (
	_ "embed"
	"strings"

	"zombiezen.com/go/sqlite"
)

// schemaSQL is the text of the schema; its head says how it is laid out.
//
//go:embed schema.sql
var schemaSQL string

const (
	// schemaVersion is PRAGMA user_version; raise it with every change of
	// schema.sql. 2: the planner's statistics may be there. 3: the interactions.
	// 4: issues are counted by their numbers; a name for the text index. 5: labels
	// with the issue; what a list shows is in an index.
	schemaVersion = 5

	// applicationID is PRAGMA application_id: "bdop".
	applicationID = 0x62646f70
)

// definition is one statement of schema.sql.
type definition struct {
	kind string // table or index
	name string
	sql  string
}

// schema splits schema.sql into its statements, in order.
func schema() []definition {
	var all []definition
	for paragraph := range strings.SplitSeq(schemaSQL, "\n\n") {
		for strings.HasPrefix(paragraph, "--") {
			_, paragraph, _ = strings.Cut(paragraph, "\n")
		}
		sql := strings.TrimSpace(paragraph)
		if sql == "" {
			continue
		}
		words := strings.SplitN(sql, " ", 4)
		if len(words) < 4 {
			continue
		}
		all = append(all, definition{strings.ToLower(words[1]), words[2], sql})
	}
	return all
}

// definitionOf is the definition of one object of the schema.
func definitionOf(name string) definition {
	for _, d := range schema() {
		if d.name == name {
			return d
		}
	}
	return definition{}
}

// createObjects executes the definitions that want selects.
func createObjects(conn *sqlite.Conn, want func(definition) bool) error {
	for _, d := range schema() {
		if !want(d) {
			continue
		}
		if err := execute(conn, d.sql); err != nil {
			return err
		}
	}
	return nil
}

// object is one row of sqlite_schema as found.
type object struct {
	kind, name, sql string
}

// plannerStatistics reports whether o is a table in which SQLite keeps what
// ANALYZE found.
func (o object) plannerStatistics() bool {
	return o == object{"table", "sqlite_stat1", "CREATE TABLE sqlite_stat1(tbl,idx,stat)"} ||
		o == object{"table", "sqlite_stat4", "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)"}
}

// readObjects lists what a database file defines, without the statistics that
// the planner keeps (Maintain). It is safe on a hostile file: reading
// sqlite_schema runs nothing of it.
func readObjects(conn *sqlite.Conn) ([]object, error) {
	var found []object
	err := query(conn, "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL", func(s *sqlite.Stmt) error {
		o := object{s.ColumnText(0), s.ColumnText(1), s.ColumnText(2)}
		if !o.plannerStatistics() {
			found = append(found, o)
		}
		return nil
	})
	return found, err
}

// sameSchema reports whether found is our schema byte for byte, in any order.
func sameSchema(found []object) bool {
	ours := schema()
	if len(found) != len(ours) {
		return false
	}
	byName := make(map[string]definition, len(ours))
	for _, d := range ours {
		byName[d.name] = d
	}
	for _, o := range found {
		d, ok := byName[o.name]
		if !ok || d.kind != o.kind || d.sql != o.sql {
			return false
		}
		delete(byName, o.name)
	}
	return len(byName) == 0
}

// hasOurs reports whether found holds our definition of one object.
func hasOurs(found []object, name string) bool {
	d := definitionOf(name)
	for _, o := range found {
		if o.name == name {
			return o.kind == d.kind && o.sql == d.sql
		}
	}
	return false
}
