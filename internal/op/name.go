package op

// fieldName reads the name of a member.
func (d *Decoder) fieldName() (string, error) {
	raw, err := d.value()
	if err != nil {
		return "", err
	}
	if len(raw) < 2 {
		return "", bad("not JSON: a name is missing")
	}
	if name := knownName(raw[1 : len(raw)-1]); name != "" {
		return name, nil
	}
	return unquote(raw)
}

// knownName is name as a string if it is one of the usual ones, else "". It
// saves a rebuild an allocation for each member of each line.
func knownName(name []byte) string {
	switch string(name) {
	case "op":
		return "op"
	case "v":
		return "v"
	case "do":
		return "do"
	case "issue":
		return "issue"
	case "at":
		return "at"
	case "by":
		return "by"
	case "session":
		return "session"
	case "set":
		return "set"
	case "add":
		return "add"
	case "sum":
		return "sum"
	case "labels":
		return "labels"
	case "deps":
		return "deps"
	case "to":
		return "to"
	case "type":
		return "type"
	case "legacy":
		return "legacy"
	case "id":
		return "id"
	case "title":
		return "title"
	case "description":
		return "description"
	case "design":
		return "design"
	case "acceptance_criteria":
		return "acceptance_criteria"
	case "notes":
		return "notes"
	case "status":
		return "status"
	case "priority":
		return "priority"
	case "issue_type":
		return "issue_type"
	case "assignee":
		return "assignee"
	case "owner":
		return "owner"
	case "close_reason":
		return "close_reason"
	case "created_at":
		return "created_at"
	case "created_by":
		return "created_by"
	case "updated_at":
		return "updated_at"
	case "closed_at":
		return "closed_at"
	case "dependencies":
		return "dependencies"
	case "comments":
		return "comments"
	case "issue_id":
		return "issue_id"
	case "depends_on_id":
		return "depends_on_id"
	case "author":
		return "author"
	case "text":
		return "text"
	}
	return ""
}
