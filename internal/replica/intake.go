package replica

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"beads/internal/op"
	"beads/internal/workspace"
)

const (
	chunkLines = 2000    // of foreign input in one commit of the workspace
	chunkBytes = 4 << 20 // the same

	// Of a history that is read whole, mostly by a clone that has nothing yet and
	// that nobody writes to: each commit costs every index.
	wholeLines = 10_000
	wholeBytes = 8 << 20
)

// intake reads files of one stream into the workspace, in chunks.
type intake struct {
	*step
	stream  op.Stream
	added   int
	met     lineSet // every line so far, held or not
	chunk   []op.Record
	size    int
	judged  bool // nothing here can overrule a claim, or the mark for that is set
	decoder op.Decoder

	maxLines, maxBytes int // of a chunk

	mayRelay bool // should there be more than a chunk
	relaying bool // chunks are relayed, and wait for build
}

type key struct {
	id   op.ID
	hash [32]byte
}

// lineSet are lines in the order in which they were met. A long history has very
// many, so the map knows them by the beginning of their hashes: of two that share
// it, only the first is recognised when it comes again.
type lineSet struct {
	keys  []key
	index map[uint64]int
}

// add reports whether a line is not known to be in the set, to which it then comes.
func (l *lineSet) add(k key) bool {
	short := binary.BigEndian.Uint64(k.hash[:])
	n, known := l.index[short]
	if known && l.keys[n] == k {
		return false
	}
	if l.index == nil {
		l.index = map[uint64]int{}
	}
	if !known {
		l.index[short] = len(l.keys)
	}
	l.keys = append(l.keys, k)
	return true
}

func (in *intake) read(ctx context.Context, files []batchFile) error {
	blobs := make([]string, len(files))
	for n, f := range files {
		blobs[n] = f.blob
	}
	err := in.objects.Blobs(ctx, blobs, func(n int, _ int64, content io.Reader) error {
		if n%256 == 0 {
			in.opts.Progress("reading "+in.stream.String(), int64(n), int64(len(files)))
		}
		return in.file(ctx, files[n].path, content)
	})
	if err == nil {
		err = in.commit(ctx)
	}
	return err
}

// file reads one file, line by line.
func (in *intake) file(ctx context.Context, path string, content io.Reader) error {
	return eachLine(content, func(l batchLine) error {
		if l.tooLong {
			in.refuse(path, l.number, l.offset, l.raw, fmt.Sprintf("line over the limit of %d bytes", op.MaxLine))
			return nil
		}
		return in.line(ctx, path, l)
	})
}

// line takes one line as foreign input: read tolerantly, kept verbatim.
func (in *intake) line(ctx context.Context, path string, l batchLine) error {
	for _, part := range in.stream.Split(bytes.Clone(l.raw)) {
		record, err := in.decoder.Read(part)
		if err == nil && record.Legacy != nil {
			err = &op.BadLine{Reason: "a snapshot record, where only operations belong"}
		}
		if err != nil {
			in.refuse(path, l.number, l.offset, part, err.Error())
			continue
		}
		k := key{record.ID(), op.Hash(part)}
		if !in.met.add(k) {
			continue
		}
		in.chunk, in.size = append(in.chunk, record), in.size+len(part)
		if len(in.chunk) >= in.maxLines || in.size >= in.maxBytes {
			in.relaying = in.mayRelay
			if err := in.commit(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// commit brings the chunk to the workspace.
func (in *intake) commit(ctx context.Context) error {
	if len(in.chunk) == 0 {
		return nil
	}
	if !in.judged {
		var err error
		if in.judged, err = in.markJudging(ctx, slices.ContainsFunc(in.chunk, isClaim)); err != nil {
			return err
		}
	}
	made, err := in.write(ctx)
	if err != nil {
		return err
	}
	in.added += made
	in.chunk, in.size = slices.Delete(in.chunk, 0, len(in.chunk)), 0
	if in.added > in.opts.MaxOperations {
		return fmt.Errorf("%w: over %d %s that are not known here", ErrFlood, in.opts.MaxOperations, in.stream)
	}
	return nil
}

func isClaim(r op.Record) bool { return r.Op != nil && r.Op.Do == op.DoClaim }

// write makes the chunk durable and returns how many lines were new.
func (in *intake) write(ctx context.Context) (made int, err error) {
	if in.relaying {
		return in.w.Relay(ctx, in.stream, in.chunk)
	}
	drafts := func(tx *workspace.Tx) ([]workspace.Draft, error) { return tx.Drafts(in.chunk) }
	if in.stream == op.Interactions {
		added, err := in.w.Record(ctx, drafts)
		return len(added), err
	}
	added, err := in.w.Commit(ctx, drafts)
	return len(added), err
}
