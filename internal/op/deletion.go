package op

import (
	"encoding/json"
	"time"
)

// Deletion is when, by whom and why an issue was deleted.
type Deletion struct {
	At         time.Time
	By, Reason string
}

// Deletion is what o says of the deletion of its issue. ok is false if o deletes
// nothing. A snapshot record that does not say when is taken for as old as its
// last change.
func (o *Operation) Deletion() (d Deletion, ok bool) {
	if o.Do == DoDelete {
		return Deletion{At: o.At, By: o.By}, true
	}
	var record struct {
		Status    string `json:"status"`
		UpdatedAt string `json:"updated_at"`
		At        string `json:"deleted_at"`
		By        string `json:"deleted_by"`
		Reason    string `json:"delete_reason"`
	}
	if o.Legacy == nil || json.Unmarshal(o.Legacy, &record) != nil || record.Status != statusTombstone {
		return Deletion{}, false
	}
	d = Deletion{At: o.At, By: record.By, Reason: record.Reason}
	for _, text := range []string{record.At, record.UpdatedAt} {
		if at, err := parseTime(text); err == nil && !at.IsZero() {
			d.At = at
			break
		}
	}
	return d, true
}
