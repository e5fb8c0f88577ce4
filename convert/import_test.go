package convert

import (
	"testing"

	"sluice/model"
)

// An input of unknown rank is not one without axes.
func TestUnknownRank(t *testing.T) {
	g := newDenseGraph()
	g.Graph.Input[0].Type.TensorType.Shape = nil
	g.many(1, "Identity", "x")
	_, err := importGraph(g.file(t), Options{Task: model.Tag})
	refused(t, "unranked", err, `input "x" is of unknown rank, want a shape`)
}
