package train_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"os"
	"strings"

	"sluice/data"
	"sluice/model"
	"sluice/optim"
	"sluice/rnn"
	"sluice/train"
)

// A text is learnt by heart, and the model writes it.
func Example() {
	song := strings.Repeat("row row row your boat\n", 40)
	config := train.Config{
		Model: model.Spec{
			Task: model.LM,
			RNN:  rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 32, Layers: 1, Biases: 1},
		},
		Batches:   data.Batches{Batch: 4, Steps: 22},
		Optimizer: optim.Rule{Kind: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8},
		Schedule:  optim.Schedule{Rate: 0.01},
		ClipNorm:  1,
		Epochs:    40,
		Seed:      1,
	}
	text, err := train.Prepare(context.Background(), config, data.String(song))
	if err != nil {
		log.Fatal(err)
	}
	result, err := train.Run(context.Background(), config, text, train.Options{Threads: 2, Observe: func(e train.Event) {
		if e, ok := e.(train.Epoch); ok && e.Epoch%20 == 0 {
			fmt.Printf("epoch %d: perplexity below 2: %v\n", e.Epoch, math.Exp(e.Loss) < 2)
		}
	}})
	if err != nil {
		log.Fatal(err)
	}
	g, err := model.NewGenerator(result.Model.Pack(), model.Sampling{})
	if err != nil {
		log.Fatal(err)
	}
	if err := g.Write(context.Background(), os.Stdout, "row", 19); err != nil {
		log.Fatal(err)
	}
	// Output:
	// epoch 20: perplexity below 2: true
	// epoch 40: perplexity below 2: true
	//  row row your boat
}
