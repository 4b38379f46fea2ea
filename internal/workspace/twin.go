package workspace

// twin spares the reading of a copy that holds the same bytes as the first one,
// as it mostly does. A line that is no operation is recorded for each file.
func (u *union) twin(first, c *copyScan) bool {
	if !first.plain {
		return false
	}
	cursor, same := c.log.Twin(first.log, first.cursor)
	if same {
		c.cursor, c.seen = cursor, first.seen
	}
	return same
}
