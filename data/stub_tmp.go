package data

type Scheme string

func (Scheme) Validate() error { return nil }

type Scaler struct{ Mean, Std []float64 }

func (Scaler) Validate() error { return nil }
