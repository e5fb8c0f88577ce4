package convert

import "fmt"

func (f *file) onnxSide(runs peerSide, o VerifyOptions) (side, error) {
	g, err := f.graph()
	if err != nil {
		return nil, err
	}
	if m, err := ownONNX(g); m == nil || err != nil {
		return nil, fmt.Errorf("convert: foreign graph: not yet %v", err)
	}
	stateful := false
	for _, v := range g.Inputs {
		stateful = stateful || v.Name == "h_0"
	}
	return &onnxSide{runs, stateful}, nil
}

func (f *file) kerasSide(runs peerSide, o VerifyOptions) (side, error) {
	return nil, fmt.Errorf("convert: keras: not yet")
}
