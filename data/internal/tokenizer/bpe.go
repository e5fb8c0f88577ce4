package tokenizer

import (
	"cmp"
	"container/heap"
	"unicode/utf8"
)

// bpe is byte pair encoding (Sennrich et al. 2016): characters are merged, the pair
// that was learned first before all others, the leftmost first.
type bpe struct {
	ids          map[string]int32
	merges       map[pair]merge
	unknown      int32 // −1: an unknown character is left out
	fuse         bool  // unknown characters side by side are one
	bytes        *[256]int32
	prefix       string // of a character that does not begin a word
	suffix       string // of one that ends it
	ignoreMerges bool   // for a word that is a token
}

type pair struct{ left, right int32 }

type merge struct{ rank, id int32 }

// symbol is a part of a word, linked to those beside it; −1 for none.
type symbol struct {
	id         int32
	prev, next int32
	merged     bool // into the one before
}

func (m *bpe) append(ids []int32, word string) ([]int32, error) {
	if m.ignoreMerges {
		if id, ok := m.ids[word]; ok {
			return append(ids, id), nil
		}
	}
	symbols := m.characters(word)
	m.merge(symbols)
	for _, s := range symbols {
		if !s.merged {
			ids = append(ids, s.id)
		}
	}
	return ids, nil
}

// characters are those of a word, as tokens.
func (m *bpe) characters(word string) []symbol {
	symbols := make([]symbol, 0, len(word))
	add := func(id int32) {
		n := int32(len(symbols))
		if n > 0 {
			symbols[n-1].next = n
		}
		symbols = append(symbols, symbol{id: id, prev: n - 1, next: -1})
	}
	unknown := 0 // characters that are not yet added
	flush := func() {
		if unknown > 0 && m.fuse {
			unknown = 1
		}
		for ; unknown > 0; unknown-- {
			add(m.unknown)
		}
	}
	for i := 0; i < len(word); {
		_, size := utf8.DecodeRuneInString(word[i:])
		c := word[i : i+size]
		if i > 0 {
			c = m.prefix + c
		}
		if i += size; i == len(word) {
			c += m.suffix
		}
		if id, ok := m.ids[c]; ok {
			flush()
			add(id)
			continue
		}
		if m.bytes != nil && covers(m.bytes, c) { // the library adds unknown characters after the bytes that follow them
			for k := range len(c) {
				add(m.bytes[c[k]])
			}
			continue
		}
		if m.unknown >= 0 {
			unknown++
		}
	}
	flush()
	return symbols
}

// merge merges pairs until none can be.
func (m *bpe) merge(symbols []symbol) {
	q := make(queue, 0, len(symbols))
	look := func(at int32) (c candidate, ok bool) {
		if at < 0 || symbols[at].next < 0 {
			return c, false
		}
		to, ok := m.merges[pair{symbols[at].id, symbols[symbols[at].next].id}]
		return candidate{to, at}, ok
	}
	for at := range symbols {
		if c, ok := look(int32(at)); ok {
			q = append(q, c)
		}
	}
	heap.Init(&q)
	for len(q) > 0 {
		best := heap.Pop(&q).(candidate)
		now, ok := look(best.at)
		if symbols[best.at].merged || !ok || now.id != best.id {
			continue
		}
		left := &symbols[best.at]
		right := &symbols[left.next]
		left.id, left.next, right.merged = best.id, right.next, true
		if left.next >= 0 {
			symbols[left.next].prev = best.at
		}
		for _, at := range [...]int32{left.prev, best.at} {
			if c, ok := look(at); ok {
				heap.Push(&q, c)
			}
		}
	}
}

// candidate is a merge of the symbol at a place with the next.
type candidate struct {
	merge
	at int32
}

// queue is a heap of candidates.
type queue []candidate

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, k int) bool {
	return cmp.Or(cmp.Compare(q[i].rank, q[k].rank), cmp.Compare(q[i].at, q[k].at)) < 0
}

func (q queue) Swap(i, k int) { q[i], q[k] = q[k], q[i] }

// Push adds at the end.
func (q *queue) Push(x any) { *q = append(*q, x.(candidate)) }

// Pop takes off the end.
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
