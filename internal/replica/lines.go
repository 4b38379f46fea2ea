package replica

import (
	"bufio"
	"errors"
	"io"

	"beads/internal/op"
)

// maxPhysical bounds a physical line of a batch file, in bytes: a few more than
// a line may have, for blanks around it.
const maxPhysical = op.MaxLine + 64

// batchLine is a physical line of a batch file without its LF.
type batchLine struct {
	number, offset int64
	raw            []byte // valid until the function that got it returns; of one that is too long the beginning
	tooLong        bool
}

// eachLine calls fn with every line of a file of operations, whatever it holds,
// in bounded memory.
func eachLine(content io.Reader, fn func(batchLine) error) error {
	size := int64(maxPhysical)
	if of, ok := content.(*io.LimitedReader); ok {
		// Most files are small, and a long history has very many of them. With
		// room for one byte more the buffer is never full.
		size = min(of.N+1, size)
	}
	in := bufio.NewReaderSize(content, int(size))
	line := batchLine{number: 1}
	for {
		raw, err := in.ReadSlice('\n')
		size := int64(len(raw))
		line.raw, line.tooLong = raw, errors.Is(err, bufio.ErrBufferFull)
		if line.tooLong {
			line.raw = append([]byte(nil), raw[:4<<10]...)
			for errors.Is(err, bufio.ErrBufferFull) {
				raw, err = in.ReadSlice('\n')
				size += int64(len(raw))
			}
		} else if err == nil {
			line.raw = raw[:len(raw)-1]
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if size > 0 {
			if err := fn(line); err != nil {
				return err
			}
		}
		if err != nil {
			return nil
		}
		line.number, line.offset = line.number+1, line.offset+size
	}
}
