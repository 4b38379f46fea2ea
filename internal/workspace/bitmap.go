package workspace

// bitmap is a set of row numbers: a million operations in 128 KiB.
type bitmap struct {
	words []uint64
	count int
}

func (b *bitmap) set(n int64) {
	word := int(n / 64)
	for word >= len(b.words) {
		b.words = append(b.words, make([]uint64, max(1024, len(b.words)))...)
	}
	if bit := uint64(1) << (n % 64); b.words[word]&bit == 0 {
		b.words[word] |= bit
		b.count++
	}
}

func (b *bitmap) has(n int64) bool {
	word := int(n / 64)
	return word < len(b.words) && b.words[word]&(1<<(n%64)) != 0
}
