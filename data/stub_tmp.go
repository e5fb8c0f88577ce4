package data

type Scheme string

func (Scheme) Validate() error { return nil }

func (Scheme) Follows(before, tag string) bool { return true }

type Scaler struct{ Mean, Std []float64 }

func (Scaler) Validate() error { return nil }

type Sentence struct {
	Words, Tags []string
	Line        int
}

type Example struct {
	Text     string
	Values   []float32
	Channels int
	Label    string
	Line     int
}
