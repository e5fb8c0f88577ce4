package data

func NewVocab(kind, unknown string, symbols []string) (*Vocab, error) {
	return newVocab(kind, unknown, symbols)
}
func (f Fractions) Ends(n int) (train, validation int) { return f.ends(n) }
