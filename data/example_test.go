package data_test

import (
	"context"
	"fmt"

	"sluice/data"
)

// From a text to minibatches: the way of a training run. The text may be one of
// data.OpenFiles, far larger than memory.
func Example() {
	english, err := data.Load("english")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	text := data.Clean{Letters: true, MaxChars: 10000}.Of(data.String(english))
	vocab, err := data.ReadVocab(ctx, text, data.VocabOptions{Unknown: "unk"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ids, err := vocab.ReadSymbols(ctx, text)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ids.Close()
	sampler, err := data.NewSampler(ids, data.Batches{Batch: 32, Steps: 35})
	if err != nil {
		fmt.Println(err)
		return
	}
	x, y := make([]int32, 35*32), make([]int32, 35*32) // (T, B)
	targets := 0
	for {
		steps, err := sampler.Next(x, y)
		if err != nil {
			fmt.Println(err)
			return
		}
		if steps == 0 {
			break
		}
		targets += steps * 32
	}
	fmt.Println(sampler.Len(), "minibatches,", targets, "targets")
	// Output: 8 minibatches, 8960 targets
}

func ExampleVocab_Encode() {
	vocab, err := data.BuildVocab("夜夜夜雨雨\n", data.VocabOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(vocab.Encode("雨夜"))
	_, err = vocab.Encode("雨\n夜风")
	fmt.Println(err)
	// Output:
	// [1 0] <nil>
	// data: character "风" (U+98CE) at line 2, column 2 is not among the 3 of the vocabulary
}

// A byte model writes bytes; the decoder shows them when a character is whole.
func ExampleDecoder() {
	vocab, err := data.BuildVocab("", data.VocabOptions{Kind: "byte"})
	if err != nil {
		fmt.Println(err)
		return
	}
	d := vocab.NewDecoder(nil)
	for _, id := range []int32{0xE9, 0x9B, 0xA8, '!'} {
		fmt.Printf("%q ", d.Append(nil, id))
	}
	// Output: "" "" "雨" "!"
}

func ExampleSampler() {
	ids := data.NewSymbols([]int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	sampler, err := data.NewSampler(ids, data.Batches{Batch: 2, Steps: 3, Cover: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	x, y := make([]int32, 6), make([]int32, 6) // (T, B)
	for range sampler.Len() {
		steps, err := sampler.Next(x, y)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(x[:steps*2], "→", y[:steps*2])
	}
	// Output:
	// [0 5 1 6 2 7] → [1 6 2 7 3 8]
	// [3 8 4 9] → [4 9 5 -1]
}
