package tokenizer

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// wordLevel has words as tokens.
type wordLevel struct {
	ids     map[string]int32
	unknown int32
}

func (m wordLevel) append(ids []int32, word string) ([]int32, error) {
	id, ok := m.ids[word]
	if !ok {
		id = m.unknown
	}
	return append(ids, id), nil
}

// wordPiece takes the longest token from the left (Schuster and Nakajima 2012), or
// the unknown one for all of a word.
type wordPiece struct {
	ids     map[string]int32
	unknown int32
	prefix  string // of tokens that do not begin a word
	most    int    // characters of a word that is not unknown
	longest int    // bytes of a token
}

func (m wordPiece) append(ids []int32, word string) ([]int32, error) {
	from := len(ids)
	if utf8.RuneCountInString(word) > m.most {
		return append(ids, m.unknown), nil
	}
	key := make([]byte, 0, m.longest)
	for start := 0; start < len(word); {
		key = key[:0]
		if start > 0 {
			key = append(key, m.prefix...)
		}
		end := min(len(word), start+max(0, m.longest-len(key)))
		for end < len(word) && !utf8.RuneStart(word[end]) {
			end--
		}
		before := len(key)
		key = append(key, word[start:end]...)
		id, ok := m.ids[string(key)]
		for !ok && len(key) > before {
			_, size := utf8.DecodeLastRune(key)
			key = key[:len(key)-size]
			if len(key) > before {
				id, ok = m.ids[string(key)]
			}
		}
		if len(key) == before {
			return append(ids[:from], m.unknown), nil
		}
		ids = append(ids, id)
		start += len(key) - before
	}
	return ids, nil
}

// unigram takes the tokens whose scores have the largest sum (Kudo 2018).
type unigram struct {
	ids      map[string]int32
	tokens   []string // (V)
	scores   []float64
	sorted   []int32 // tokens by their text
	unknown  int32   // −1 for none
	penalty  float64 // the score of an unknown character
	fallback *[256]int32
}

// newUnigram takes tokens (V), of which none is twice, with their scores.
func newUnigram(ids map[string]int32, tokens []string, scores []float64, unknown int32) *unigram {
	m := &unigram{ids: ids, tokens: tokens, scores: scores, unknown: unknown, sorted: make([]int32, len(tokens))}
	for i := range m.sorted {
		m.sorted[i] = int32(i)
	}
	slices.SortFunc(m.sorted, func(a, b int32) int {
		if tokens[a] < tokens[b] {
			return -1
		}
		return 1
	})
	m.penalty = slices.Min(scores) - 10
	return m
}

// ending is the best way to the end of a token.
type ending struct {
	score float64
	from  int // where the token begins, −1: nothing ends here
	id    int32
}

func (m *unigram) append(ids []int32, word string) ([]int32, error) {
	ends := make([]ending, len(word)+1)
	for i := range ends {
		ends[i].from = -1
	}
	for at := 0; at < len(word); {
		_, size := utf8.DecodeRuneInString(word[at:])
		single := false
		reach := func(end int, id int32, score float64) {
			if e := &ends[end]; e.from < 0 || score > e.score {
				*e = ending{score, at, id}
			}
		}
		till := ends[at].score
		prefixes(len(m.sorted), func(i int) string { return m.tokens[m.sorted[i]] }, word[at:], func(i int) {
			id := m.sorted[i]
			reach(at+len(m.tokens[id]), id, m.scores[id]+till)
			single = single || len(m.tokens[id]) == size
		})
		if !single {
			if m.unknown < 0 {
				return ids, fmt.Errorf("no token for the character %q, and none for what is unknown", word[at:at+size])
			}
			reach(at+size, m.unknown, m.penalty+till)
		}
		at += size
	}
	start := len(ids)
	for end := len(word); end > 0; {
		e := ends[end]
		from := e.from
		if e.id == m.unknown { // those side by side are one
			for from > 0 && ends[from].id == m.unknown {
				from = ends[from].from
			}
		}
		ids = m.appendBackward(ids, word[from:end])
		end = from
	}
	slices.Reverse(ids[start:])
	return ids, nil
}

// appendBackward appends the id of a part of a word, or of its bytes from the last.
func (m *unigram) appendBackward(ids []int32, part string) []int32 {
	if id, ok := m.ids[part]; ok {
		return append(ids, id)
	}
	if m.fallback == nil || !covers(m.fallback, part) {
		return append(ids, m.unknown)
	}
	for i := len(part) - 1; i >= 0; i-- {
		ids = append(ids, m.fallback[part[i]])
	}
	return ids
}

// covers says whether there is a token for each byte.
func covers(bytes *[256]int32, text string) bool {
	for i := range len(text) {
		if bytes[text[i]] < 0 {
			return false
		}
	}
	return true
}

// byteTokens are the tokens of bytes, as <0x0A>, −1 where there is none.
func byteTokens(ids map[string]int32) *[256]int32 {
	tokens := new([256]int32)
	for b := range tokens {
		id, ok := ids[fmt.Sprintf("<0x%02X>", b)]
		if !ok {
			id = -1
		}
		tokens[b] = id
	}
	return tokens
}
