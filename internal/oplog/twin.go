package oplog

import (
	"bytes"
)

// Twin returns the cursor that a scan of l from the start would, if l consists
// of exactly the bytes that cursor, which is one of other, covers. It compares
// the files, which costs a fraction of a scan. Both belong to one stream.
//
// same is false where a scan has to tell, also if l cannot be read.
func (l *Log) Twin(other *Log, cursor Cursor) (twin Cursor, same bool) {
	info, err := l.Stat()
	if err != nil || info.Size != cursor.Offset {
		return Cursor{}, false
	}
	var mine, theirs [readSize]byte
	for offset := int64(0); offset < info.Size; {
		n := min(int64(readSize), info.Size-offset)
		if l.readFull(mine[:n], offset) != nil || other.readFull(theirs[:n], offset) != nil || !bytes.Equal(mine[:n], theirs[:n]) {
			return Cursor{}, false
		}
		offset += n
	}
	twin = cursor
	twin.Info = info
	return twin, true
}
