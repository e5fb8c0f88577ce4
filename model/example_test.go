package model_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
	"sluice/optim"
	"sluice/rnn"
)

const song = "row row row your boat\nrow row row your boat\nrow row row your boat\n"

// learned is a model that has learnt a text by heart. Package train does this
// for texts of any length.
func learned(text string) *model.Model {
	vocab, err := data.BuildVocab(text, data.VocabOptions{})
	if err != nil {
		log.Fatal(err)
	}
	m, err := model.New(model.Spec{
		Task: model.LM,
		RNN:  rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 32, Layers: 1, Biases: 1},
	}, model.Names{Vocab: vocab})
	if err != nil {
		log.Fatal(err)
	}
	if err := m.Init(rnn.Init{}, 1); err != nil {
		log.Fatal(err)
	}
	ids, err := vocab.Encode(text)
	if err != nil {
		log.Fatal(err)
	}
	n := len(ids) - 1
	batch := model.Batch{T: n, B: 1, IDs: ids[:n], Targets: ids[1:]}

	team := nn.NewTeam(1)
	defer team.Close()
	packed := m.Pack()
	run := model.NewRunner(packed, team)
	adam, gradient := optim.Rule{Kind: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}.New(m.Size()), make([]float32, m.Size())
	for range 300 {
		clear(gradient)
		run.Gradient(gradient, batch, nil, model.Objective{})
		adam.Update(team, m.Params, gradient, 0.01)
		m.Repack(team, packed)
	}
	return m
}

func ExampleGenerator_Write() {
	m := learned(song)
	g, err := model.NewGenerator(m.Pack(), model.Sampling{}) // always the most probable character
	if err != nil {
		log.Fatal(err)
	}
	if err := g.Write(context.Background(), os.Stdout, "row", 19); err != nil {
		log.Fatal(err)
	}
	// Output: row row your boat
}

// A stream of one's own: symbols one by one, each drawn when it is wanted.
func ExampleGenerator_Next() {
	m := learned(song)
	g, err := model.NewGenerator(m.Pack(), model.Sampling{Temperature: 0.1, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	fed, err := g.Start("your")
	if err != nil {
		log.Fatal(err)
	}
	decoder, text := m.Vocab.NewDecoder(fed), []byte(nil)
	for m.Vocab.Symbol(fed[len(fed)-1]) != "\n" {
		id := g.Next()
		fed = append(fed, id)
		text = decoder.Append(text, id)
	}
	fmt.Printf("%q\n", text)
	// Output: " boat\n"
}

// Runner.Step serves many streams at once: their states are rows of a slab,
// and each call takes those that are due.
func ExampleRunner_Step() {
	m := learned(song)
	packed, team := m.Pack(), nn.NewTeam(1)
	defer team.Close()
	run := model.NewRunner(packed, team)
	slab := make([]float32, 2*packed.StateSize())
	logits := nn.Matrix{}.Grow(1, m.Vocab.Size())
	row := make([]float32, m.Vocab.Size())
	streams := []string{"row your b", "your boat\nr"}
	for i, text := range streams {
		ids, err := m.Vocab.Encode(text)
		if err != nil {
			log.Fatal(err)
		}
		for _, id := range ids {
			run.Step(logits, []int32{id}, slab, []int32{int32(i)})
		}
		best := 0
		logits.GetRow(row, 0)
		for id, v := range row {
			if v > row[best] {
				best = id
			}
		}
		fmt.Printf("%q %q\n", text, m.Vocab.Symbol(int32(best)))
	}
	// Output:
	// "row your b" "o"
	// "your boat\nr" "o"
}
