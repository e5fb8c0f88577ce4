"""The tasks of package model in PyTorch, float64, for golden.py: README.md says
what each file holds.

Parameters and numbers that are read are those of float32, so that both sides
compute with the same ones. Parameters have sluice's names.
"""
import itertools
import json

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

T, B, E, H = 5, 6, 3, 4  # steps, batch, embedding, hidden
V, K, F = 7, 4, 2  # symbols, labels, numbers of a step
LENGTHS = [3, 5, 1, 2, 5, 4]
LABELS = ["O", "B-x", "I-x", "B-y"]
IOB2 = {"start": [1, 1, 0, 1], "follows": [[1, 1, 0, 1], [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 0, 1]]}  # from, to
SPELLINGS = [[0, 3, 1, 2], [4], [2, 2, 0], [], [1, 4, 4, 0], [3, 1]]  # of words; one has no known character
CHARS, CHAR_EMBED, CHAR_HIDDEN = 5, 2, 3


class Case:
    """Parameters by name, and the numbers of one file."""

    def __init__(self, rng, task, **spec):
        self.rng, self.spec = rng, {"task": task, **spec}
        self.params, self.tensors, self.names = {}, {}, {}

    def draw(self, *shape, scale=0.6):
        return torch.tensor(self.rng.uniform(-scale, scale, shape).astype(np.float32).astype(np.float64))

    def param(self, name, *shape, scale=0.6):
        self.params[name] = self.draw(*shape, scale=scale).requires_grad_()
        return self.params[name]

    def stack(self, prefix, cell, width, hidden, layers, bidirectional):
        kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[cell]
        net = kind(width, hidden, num_layers=layers, bidirectional=bidirectional, dtype=torch.float64)
        with torch.no_grad():
            for name, p in net.named_parameters():
                p.copy_(self.draw(*p.shape))
                self.params[prefix + name] = p
        if prefix == "rnn.":
            direction = "bidirectional" if bidirectional else "forward"
            self.spec["rnn"] = {"cell": cell, "hidden": hidden, "layers": layers, "biases": 2, "direction": direction}
            if cell == "gru":
                self.spec["rnn"]["reset"] = "after"
        return net

    def head(self, z, outputs):
        return z @ self.param("head.weight", outputs, z.shape[-1]).T + self.param("head.bias", outputs)

    def linear(self, features, width):
        """A linear layer with ReLU before the stack."""
        self.spec["embed"] = width
        w, b = self.param("input.weight", width, features), self.param("input.bias", width)
        return lambda x: torch.relu(x @ w.T + b)

    def file(self, name, minimised, **outputs):
        """What golden.py writes: the gradients are those of what is minimised."""
        minimised.backward()
        f32 = {k: v.detach().numpy().astype(np.float32) for k, v in self.params.items()}
        f64 = {f"grad.{k}": v.grad.numpy() for k, v in self.params.items()}
        outputs = {k: v.detach().numpy() for k, v in outputs.items()}
        inputs = {k: np.asarray(v) for k, v in self.tensors.items()}
        inputs = {k: v.astype(np.float32) if v.dtype == np.float64 and k != "series" else v for k, v in inputs.items()}
        metadata = {
            "kind": "task", "torch": torch.__version__, "dtype": "float64", "spec": json.dumps(self.spec),
            **{k: json.dumps(v) for k, v in self.names.items()},
        }  # fmt: skip
        return name, {**inputs, **f32, **f64, **outputs}, metadata


def ends(net, x, lengths):
    """The outputs (T, B, W) and the last output of each direction of the last layer (B, W)."""
    y, state = net(pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False))
    y, _ = pad_packed_sequence(y, total_length=x.shape[0])
    h = state[0] if isinstance(state, tuple) else state
    d = 2 if net.bidirectional else 1
    return y, torch.cat(list(h[-d:]), dim=1)


# --- tags ------------------------------------------------------------------


def spelled(c, forms):
    """The vectors (T, B, 2·Hc) of words by their characters; zeros without any."""
    c.spec["chars"] = {"embed": CHAR_EMBED, "hidden": CHAR_HIDDEN}
    table = c.param("chars.embed.weight", CHARS, CHAR_EMBED, scale=1.2)
    net = c.stack("chars.rnn.", c.cell, CHAR_EMBED, CHAR_HIDDEN, 1, True)
    lengths = [len(s) for s in SPELLINGS]
    ids = np.zeros((max(lengths), len(SPELLINGS)), dtype=np.int64)
    for i, s in enumerate(SPELLINGS):
        ids[: len(s), i] = s
    c.tensors.update(forms=forms, spellings=ids, spelling_lengths=lengths)
    c.names["characters"] = CHARS
    some = [i for i, n in enumerate(lengths) if n > 0]
    _, last = ends(net, table[torch.tensor(ids[:, some])], [lengths[i] for i in some])
    z = torch.zeros(len(SPELLINGS), 2 * CHAR_HIDDEN, dtype=torch.float64).index_copy(0, torch.tensor(some), last)
    return z[torch.tensor(forms)]


class CRF:
    """A linear-chain CRF (Lafferty, McCallum and Pereira 2001), by the forward algorithm and by all paths."""

    def __init__(self, c, scheme):
        never = lambda allowed: torch.where(torch.tensor(allowed) > 0, 0.0, -torch.inf).double()
        start, moves = (IOB2["start"], IOB2["follows"]) if scheme else ([1] * K, [[1] * K] * K)
        self.moves = c.param("crf.transitions", K, K) + never(moves)
        self.start = c.param("crf.start_transitions", K) + never(start)
        self.end = c.param("crf.end_transitions", K)

    def score(self, e, tags):
        s = self.start[tags[0]] + self.end[tags[-1]] + sum(e[t, k] for t, k in enumerate(tags))
        return s + sum(self.moves[a, b] for a, b in zip(tags, tags[1:]))

    def log_z(self, e):
        alpha = self.start + e[0]
        for row in e[1:]:
            alpha = torch.logsumexp(alpha[:, None] + self.moves, dim=0) + row
        return torch.logsumexp(alpha + self.end, dim=0)

    def paths(self, e):
        """The best tags and the marginals (n, K), by every sequence there is; checks log_z."""
        all_tags = list(itertools.product(range(K), repeat=len(e)))
        scores = torch.stack([self.score(e, tags) for tags in all_tags]).detach()
        z = self.log_z(e).detach()
        assert abs(torch.logsumexp(scores, dim=0) - z) < 1e-12, "the forward algorithm is wrong"
        marginals = torch.zeros(len(e), K, dtype=torch.float64)
        for tags, p in zip(all_tags, torch.exp(scores - z)):
            marginals[range(len(e)), list(tags)] += p
        return list(all_tags[int(scores.argmax())]), marginals


def tag_case(rng, name, cell, layers, chars, crf, scheme=False):
    c = Case(rng, "tag", embed=E)
    c.cell, c.names = cell, {"vocab": V, "labels": LABELS}
    ids, forms = rng.integers(0, V, (T, B)), rng.integers(0, len(SPELLINGS), (T, B))
    targets = np.full((T, B), -1)
    for b, n in enumerate(LENGTHS):
        before = 0
        for t in range(n):  # tags that the scheme allows
            before = rng.choice([k for k in range(K) if IOB2["follows"][before][k]])
            targets[t, b] = before
    c.tensors.update(ids=ids, targets=targets, lengths=LENGTHS)
    x = c.param("embed.weight", V, E, scale=1.2)[torch.tensor(ids)]
    if chars:
        x = torch.cat([x, spelled(c, forms)], dim=2)
    y, _ = ends(c.stack("rnn.", cell, x.shape[2], H, layers, True), x, LENGTHS)
    logits = c.head(y, K)
    targets = torch.tensor(targets)
    if not crf:
        loss = cross_entropy(logits.reshape(-1, K), targets.reshape(-1), ignore_index=-1)
        best = torch.where(targets < 0, -1, logits.argmax(dim=2))
        probs = torch.softmax(logits, dim=2) * (targets >= 0)[:, :, None]
        return c.file(name, loss, loss=loss.reshape(1), best=best, probs=probs)
    c.spec["crf"] = True
    if scheme:
        c.names["scheme"] = "iob2"
    field, nats = CRF(c, scheme), 0
    best, probs = torch.full((T, B), -1), torch.zeros(T, B, K, dtype=torch.float64)
    for b, n in enumerate(LENGTHS):
        nats += field.log_z(logits[:n, b]) - field.score(logits[:n, b], targets[:n, b].tolist())
        tags, probs[:n, b] = field.paths(logits[:n, b])
        best[:n, b] = torch.tensor(tags)
    loss = nats / sum(LENGTHS)
    return c.file(name, loss, loss=loss.reshape(1), best=best, probs=probs)


# --- classes ---------------------------------------------------------------


def pooled(c, pool, y, last):
    """What the head reads (B, W)."""
    inside = torch.arange(T)[:, None, None] < torch.tensor(LENGTHS)[None, :, None]
    if pool == "mean":
        return y.sum(dim=0) / torch.tensor(LENGTHS)[:, None]  # y is zero past a length
    if pool == "max":
        return y.masked_fill(~inside, -torch.inf).amax(dim=0)
    if pool == "attention":  # Zhou et al. 2016, without the tanh after it
        scores = torch.tanh(y) @ c.param("attention.weight", y.shape[2], scale=1.5)
        alpha = torch.softmax(scores.masked_fill(~inside[:, :, 0], -torch.inf), dim=0)
        return (alpha[:, :, None] * y).sum(dim=0)
    return last


def classify_case(rng, name, cell, layers, bidirectional, pool, reads, weights):
    c = Case(rng, "classify", pool=pool)
    c.names["labels"] = LABELS
    targets = torch.tensor(rng.permutation([0, 1, 2, 3, 1, 0]))
    c.tensors.update(targets=targets, lengths=LENGTHS)
    if reads == "text":
        ids = torch.tensor(rng.integers(0, V, (T, B)))
        c.tensors["ids"], c.names["vocab"], c.spec["embed"] = ids, V, E
        x = c.param("embed.weight", V, E, scale=1.2)[ids]
    else:
        x, c.spec["features"] = c.draw(T, B, F, scale=1.5), F
        c.tensors["data"] = x
        if reads == "linear":
            x = c.linear(F, E)(x)
    net = c.stack("rnn.", cell, x.shape[2], H, layers, bidirectional)
    logits = c.head(pooled(c, pool, *ends(net, x, LENGTHS)), K)
    loss = minimised = cross_entropy(logits, targets)
    if weights:
        c.tensors["weights"] = (c.draw(K, scale=0.5) + 1).float().double()
        minimised = torch.nn.CrossEntropyLoss(weight=c.tensors["weights"])(logits, targets)
    probs = torch.softmax(logits, dim=1)
    return c.file(name, minimised, loss=loss.reshape(1), best=logits.argmax(dim=1), probs=probs)


# --- forecasts -------------------------------------------------------------

STEPS, SERIES, WINDOW, HORIZON, SEGMENT = 16, 3, 6, 4, 2
QUANTILES = [0.1, 0.5, 0.9]


def forecast_case(rng, name, way, *stack, **forecast):
    c = Case(rng, "forecast", forecast={"window": WINDOW, "horizon": HORIZON, **forecast})
    raw = rng.normal(size=(STEPS, SERIES)) * [2, 0.5, 7] + [1, -3, 20]
    scaler = {"mean": [1.5, -2.5, 18.0], "std": [2.0, 0.75, 6.0]}
    c.tensors["series"], c.names["series"] = raw, {"names": ["a", "b", "c"], "scaler": scaler}
    x = (torch.tensor(raw) - torch.tensor(scaler["mean"])) / torch.tensor(scaler["std"])
    n = STEPS - WINDOW - HORIZON + 1
    whole = torch.stack([x[i : i + WINDOW + HORIZON] for i in range(n)], dim=1)  # (L+H, n, C)
    # The last window is followed by what is not known: its forecast is compared in the units of the series.
    last = x[-WINDOW:][:, None]  # (L, 1, C)
    errors, ahead = way(c, *stack)
    unscaled = ahead(last) * torch.tensor(scaler["std"]) + torch.tensor(scaler["mean"])  # (1+Q, H, C)
    loss = errors(whole)
    return c.file(name, loss, loss=loss.reshape(1), forecast=unscaled)


def segments(c, cell):
    """SegRNN (Lin et al. 2023), each series for itself, less its last value."""
    width, m = 4, HORIZON // SEGMENT  # an even width
    quantiles = c.spec["forecast"]["quantiles"]
    embed = c.linear(SEGMENT, width)
    net = c.stack("rnn.", cell, width, H, 1, False)
    positions, channels = c.param("decoder.positions", m, width // 2, scale=1), c.param("decoder.series", SERIES, width // 2, scale=1)
    outputs = 1 + len(quantiles)
    w, b = c.param("head.weight", SEGMENT * outputs, H), c.param("head.bias", SEGMENT * outputs)

    def decode(window):
        """window (L, n, C) → (1+Q, H, n, C), less the last value."""
        n = window.shape[1]
        x = (window - window[-1:]).permute(1, 2, 0).reshape(n * SERIES, WINDOW // SEGMENT, SEGMENT).transpose(0, 1)
        _, h = net(embed(x))  # (1, n·C, H)
        channel = channels.repeat(n, 1)  # (n·C, E/2)
        out = []
        for j in range(m):
            step = torch.cat([positions[j].expand(n * SERIES, -1), channel], dim=1)
            y, _ = net(step[None], h)
            out.append((y[0] @ w.T + b).reshape(n, SERIES, outputs, SEGMENT))
        return torch.cat(out, dim=3).permute(2, 3, 0, 1)

    def errors(whole):
        out, want = decode(whole[:WINDOW]), whole[WINDOW:] - whole[WINDOW - 1]
        loss = ((out[0] - want) ** 2).mean()
        for k, q in enumerate(quantiles):  # Koenker and Bassett 1978
            d = want - out[1 + k]
            loss = loss + torch.maximum(q * d, (q - 1) * d).mean()
        return loss

    return errors, lambda window: decode(window)[:, :, 0] + window[-1, 0]


def recursion(c, cell, layers, linear=False):
    """At each step the change that comes with the next; what is forecast is read again."""
    reads = c.linear(SERIES, E) if linear else lambda x: x
    net = c.stack("rnn.", cell, E if linear else SERIES, H, layers, False)
    w, b = c.param("head.weight", SERIES, H), c.param("head.bias", SERIES)

    def change(x, state=None):
        y, state = net(reads(x), state)
        return y @ w.T + b, state

    def errors(whole):
        out, _ = change(whole[:-1] - whole[WINDOW - 1])
        return ((out[WINDOW - 1 :] - (whole[WINDOW:] - whole[WINDOW - 1 : -1])) ** 2).mean()

    def ahead(window):
        x, out = window - window[-1], []
        d, state = change(x)
        level = x[-1:] + d[-1:]
        for _ in range(HORIZON):
            out.append(level[0, 0])
            d, state = change(level, state)
            level = level + d
        return (torch.stack(out) + window[-1, 0])[None]

    return errors, ahead


def task_cases(rng_of):
    """The name, tensors and metadata of each file."""
    for name, *case in [
        ("tag_softmax_lstm", "lstm", 1, False, False),
        ("tag_softmax_lstm_chars", "lstm", 1, True, False),
        ("tag_softmax_gru_l2", "gru", 2, False, False),
        ("tag_softmax_gru_l2_chars", "gru", 2, True, False),
        ("tag_crf_lstm_chars", "lstm", 1, True, True),
        ("tag_crf_gru_l2", "gru", 2, False, True),
        ("tag_crf_iob2_lstm", "lstm", 1, False, True, True),
    ]:
        yield tag_case(rng_of(name), name, *case)
    stacks = {"text": ("lstm", 1, True), "numbers": ("gru", 2, True), "linear": ("gru", 1, False)}
    for pool, (reads, stack) in itertools.product(["last", "mean", "max", "attention"], stacks.items()):
        name = f"classify_{pool}_{reads}"
        yield classify_case(rng_of(name), name, *stack, pool, reads, weights=reads == "numbers")
    for quantiles, cell in itertools.product(([], QUANTILES), ("gru", "rnn")):
        name = f"forecast_direct_{cell}" + ("_quantiles" if quantiles else "")
        yield forecast_case(rng_of(name), name, segments, cell, segment=SEGMENT, quantiles=quantiles)
    for name, *stack in [("forecast_recursive_gru", "gru", 1), ("forecast_recursive_lstm_l2_linear", "lstm", 2, True)]:
        yield forecast_case(rng_of(name), name, recursion, *stack)
