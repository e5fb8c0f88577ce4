"""Updates and answers of the presets tag and classify in PyTorch, in examples a second.

    python tasks_torch.py THREADS SECONDS < examples

reads what `sluice predict --json` writes: {"words": [...], "tags": [...]} or {"text":
..., "predicted": ...} a line. The minibatches are made before anything is measured, of
examples of about the same length; of padding nothing is computed, and each word of a
minibatch is spelled once. A tagger has no CRF here.
"""
import json
import sys
import time

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

BATCH = 32


def numbers(items):
    """Numbers by frequency, 0 for none."""
    count = {}
    for item in items:
        count[item] = count.get(item, 0) + 1
    return {item: i + 1 for i, item in enumerate(sorted(count, key=lambda k: -count[k]))}


def padded(rows):
    out = torch.zeros(max(map(len, rows)), len(rows), dtype=torch.long)
    for i, row in enumerate(rows):
        out[: len(row), i] = torch.tensor(row)
    return out


class Tagger(nn.Module):
    def __init__(self, words, characters, tags):
        super().__init__()
        self.words, self.characters = nn.Embedding(words, 100), nn.Embedding(characters, 32)
        self.spell = nn.LSTM(32, 50, bidirectional=True)
        self.drop = nn.Dropout(0.5)
        self.lstm, self.head = nn.LSTM(200, 128, bidirectional=True), nn.Linear(256, tags)

    def forward(self, b):
        x = pack_padded_sequence(self.characters(b["spelled"]), b["spelled_lengths"])
        _, (h, _) = self.spell(x)
        x = torch.cat([self.words(b["ids"]), torch.cat([h[0], h[1]], 1)[b["forms"]]], 2)
        y, _ = self.lstm(pack_padded_sequence(self.drop(x), b["lengths"]))
        return self.head(self.drop(pad_packed_sequence(y)[0]))


class Classifier(nn.Module):
    def __init__(self, symbols, labels):
        super().__init__()
        self.embed, self.gru = nn.Embedding(symbols, 64), nn.GRU(64, 128, bidirectional=True)
        self.drop, self.head = nn.Dropout(0.2), nn.Linear(256, labels)

    def forward(self, b):
        y, _ = self.gru(pack_padded_sequence(self.drop(self.embed(b["ids"])), b["lengths"]))
        y, _ = pad_packed_sequence(y, padding_value=float("-inf"))
        return self.head(self.drop(y.max(0).values))


def sentences(examples):
    words = numbers(w.lower() for e in examples for w in e["words"])
    characters = numbers(c for e in examples for w in e["words"] for c in w)
    tags = numbers(t for e in examples for t in e["tags"])
    for b in minibatches(examples, lambda e: len(e["words"])):
        forms = sorted({w for e in b for w in e["words"]}, key=len, reverse=True)
        at = {w: i for i, w in enumerate(forms)}
        targets = padded([[tags[t] for t in e["tags"]] for e in b]) - 1
        yield {
            "n": len(b), "lengths": torch.tensor([len(e["words"]) for e in b]),
            "ids": padded([[words[w.lower()] for w in e["words"]] for e in b]),
            "forms": padded([[at[w] for w in e["words"]] for e in b]),
            "spelled": padded([[characters[c] for c in w] for w in forms]),
            "spelled_lengths": torch.tensor([len(w) for w in forms]),
            "targets": targets, "sizes": (len(words) + 1, len(characters) + 1, len(tags)),
        }


def texts(examples):
    symbols, labels = numbers(c for e in examples for c in e["text"]), numbers(e["predicted"] for e in examples)
    for b in minibatches(examples, lambda e: len(e["text"])):
        yield {
            "n": len(b), "lengths": torch.tensor([len(e["text"]) for e in b]),
            "ids": padded([[symbols[c] for c in e["text"]] for e in b]),
            "targets": torch.tensor([labels[e["predicted"]] - 1 for e in b]), "sizes": (len(symbols) + 1, len(labels)),
        }


def minibatches(examples, length):
    examples = sorted(examples, key=length, reverse=True)
    return [examples[i : i + BATCH] for i in range(0, len(examples), BATCH)]


def main():
    threads, seconds = int(sys.argv[1]), float(sys.argv[2])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    examples = [json.loads(line) for line in sys.stdin]
    tag = "words" in examples[0]
    batches = list((sentences if tag else texts)(examples))
    model = (Tagger if tag else Classifier)(*batches[0]["sizes"])
    adam = torch.optim.Adam(model.parameters(), lr=0.003)
    loss = nn.CrossEntropyLoss(ignore_index=-1)

    def update(b):
        adam.zero_grad()
        z = model(b)
        loss(z.reshape(-1, z.shape[-1]), b["targets"].reshape(-1)).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        adam.step()

    @torch.no_grad()
    def answer(b):
        z = model(b)
        loss(z.reshape(-1, z.shape[-1]), b["targets"].reshape(-1)).item()
        z.argmax(-1)

    for name, work in ("training", update), ("predicting", answer):
        model.train(name == "training")
        n, began = 0, None
        while began is None or time.perf_counter() - began < seconds:
            for b in batches:
                work(b)
                n += b["n"]
            if began is None:  # the first round is not counted
                n, began = 0, time.perf_counter()
        print(f"{n / (time.perf_counter() - began):.0f}")


main()
