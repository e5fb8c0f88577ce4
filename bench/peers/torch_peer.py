"""PyTorch: the side of the line protocol that child.go describes.

The first argument is the number of threads.
"""

import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

WARM = 20e-3  # seconds of calls before the first that counts
SAMPLE = 200e-6  # seconds of calls between two looks at the clock


class Unsupported(Exception):
    pass


class Case:
    def __init__(self, words):
        self.task = words[0]
        pairs = dict(word.split("=", 1) for word in words[1:])
        self.cell = pairs.pop("cell", "")
        numbers = {"L": 1, "D": 1} | {k: int(v) for k, v in pairs.items() if v.isdigit()}
        self.T, self.B, self.X, self.H = (numbers.get(k, 0) for k in "TBXH")
        self.L, self.D, self.V = (numbers.get(k, 0) for k in "LDV")
        self.optimizer = pairs.get("optimizer", "")
        self.lr = float(pairs.get("lr", 0))
        self.clip = float(pairs.get("clip", 0))

    def kind(self):
        """PyTorch's name of the cell: its GRU resets after the product."""
        kinds = {"lstm": "LSTM", "gru-after": "GRU"}
        if self.cell not in kinds:
            raise Unsupported("no such cell")
        return kinds[self.cell]

    def layers(self):
        return getattr(nn, self.kind())(self.X, self.H, num_layers=self.L, bidirectional=self.D > 1)


def train(c):
    """Forward and backward of layers, with the gradients of x and of all weights."""
    net = c.layers()
    x = torch.randn(c.T, c.B, c.X, requires_grad=True)
    dy = torch.randn(c.T, c.B, c.H * c.D)

    def call():
        net.zero_grad(set_to_none=True)
        x.grad = None
        y, _ = net(x)
        y.backward(dy)

    return call


def infer(c):
    net, x = c.layers().eval(), torch.randn(c.T, c.B, c.X)

    @torch.inference_mode()
    def call():
        net(x)

    return call


def stream(c):
    """One step of one stream. The cell is the fastest way that PyTorch has."""
    cell = getattr(nn, c.kind() + "Cell")(c.X, c.H).eval()
    x, h = torch.randn(1, c.X), torch.zeros(1, c.H)
    state = (h, h) if c.cell == "lstm" else h

    @torch.inference_mode()
    def call():
        nonlocal state
        state = cell(x, state)

    return call


def detached(state):
    return tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()


def step(c):
    """One update of a character model whose inputs are one-hot."""
    c.X = c.V
    net, head = c.layers(), nn.Linear(c.H, c.V)
    params = [*net.parameters(), *head.parameters()]
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
    optimizer = kinds[c.optimizer](params, lr=c.lr, fused=True)
    ids, targets = torch.randint(c.V, (c.T, c.B)), torch.randint(c.V, (c.T * c.B,))
    h = torch.zeros(c.L, c.B, c.H)
    state = (h, h) if c.cell == "lstm" else h

    def call():
        nonlocal state
        y, after = net(F.one_hot(ids, c.V).float(), state)
        state = detached(after)
        loss = F.cross_entropy(head(y.flatten(0, 1)), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(params, c.clip)
        optimizer.step()

    return call


TASKS = {"train": train, "infer": infer, "stream": stream, "step": step}


def seconds(call, n):
    start = time.perf_counter()
    for _ in range(n):
        call()
    return time.perf_counter() - start


def measure(call, reps, ms):
    """Warm up, then call until ms have passed and there are reps samples."""
    fastest, total, n = float("inf"), 0.0, 1
    while total < WARM:
        t = seconds(call, n)
        total += t
        fastest = min(fastest, t / n)
        n *= 2
    n = max(1, int(SAMPLE / fastest))
    times, total = [], 0.0
    while total < ms / 1e3 or len(times) < reps:
        t = seconds(call, n)
        total += t
        times.append(t / n)
    return times


def answer(words, call):
    """The answer to a line, and what `run` calls from then on."""
    verb, *rest = words
    if verb == "run":
        times = measure(call, int(rest[0]), float(rest[1]))
        return "times " + " ".join(f"{t * 1e9:.6g}" for t in times), call
    if verb != "open":
        raise ValueError("unknown verb " + verb)
    c = Case(rest)
    if c.task not in TASKS:
        raise Unsupported("no such task")
    call = TASKS[c.task](c)
    call()
    return "ok", call


def main():
    threads = int(sys.argv[1])
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    torch.manual_seed(0)
    print("ready PyTorch", torch.__version__, flush=True)
    call = None
    for line in sys.stdin:
        try:
            text, call = answer(line.split(), call)
        except Unsupported as e:
            text = f"no {e}"
        except Exception as e:  # to the driver, which goes on with other cases
            text = "error " + " ".join(str(e).split())
        print(text, flush=True)


main()
