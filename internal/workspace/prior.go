package workspace

import "beads/internal/op"

// manyRecords is how many snapshot records of one issue are asked for anew with
// every further one. Of more the ids are kept: else ten thousand records of one
// issue, which a file may hold, would be asked for ten thousand times.
const manyRecords = 64

// prior are the ids of the import operations of an issue that carry a record.
func (u *union) prior(issueID string) ([]op.ID, error) {
	if ids, kept := u.records[issueID]; kept {
		return ids, nil
	}
	ids, err := u.tx.LegacyIDs(issueID)
	if err == nil && len(ids) >= manyRecords {
		if u.records == nil {
			u.records = map[string][]op.ID{}
		}
		u.records[issueID] = ids
	}
	return ids, err
}

// imports keeps what prior says right when an operation was added.
func (u *union) imports(o *op.Operation) {
	if o == nil || o.Legacy == nil {
		return
	}
	if ids, kept := u.records[o.Issue]; kept {
		u.records[o.Issue] = append(ids, o.ID)
	}
}
