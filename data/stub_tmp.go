package data

type Example struct {
	Text   string
	Values []float32
	F      int
	Label  string
	Line   int
}
