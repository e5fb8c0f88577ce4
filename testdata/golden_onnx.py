"""The cases of golden.py that ONNX Runtime computes of cells that PyTorch lacks:
peepholes, coupled gates (input_forget), clipping, other activations.

by_hand has the equations in float64. Each case asserts that ONNX Runtime computes
them, and where two readings of the operators' text are possible that it does not
compute the other one: f = 1 − i and not i = 1 − f; c is not clipped before its
activation.
"""
import json

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

OPSET = 22
T, B, X, H = 7, 6, 3, 5
LENGTHS = [[3, 7, 1, 5, 2, 6], [2, 4, 6, 2, 1, 4], [7, 1, 4, 6, 7, 3]]

sigmoid = lambda x: 1 / (1 + np.exp(-x))
FUNCTIONS = {  # name: ONNX's, which parameters it takes, function
    "sigmoid": ("Sigmoid", "", lambda x, a, b: sigmoid(x)),
    "tanh": ("Tanh", "", lambda x, a, b: np.tanh(x)),
    "relu": ("Relu", "", lambda x, a, b: np.maximum(x, 0)),
    "affine": ("Affine", "ab", lambda x, a, b: a * x + b),
    "identity": ("Affine", "ab", lambda x, a, b: x),
    "leaky_relu": ("LeakyRelu", "a", lambda x, a, b: np.where(x >= 0, x, a * x)),
    "thresholded_relu": ("ThresholdedRelu", "a", lambda x, a, b: np.where(x > a, x, 0)),
    "scaled_tanh": ("ScaledTanh", "ab", lambda x, a, b: a * np.tanh(b * x)),
    "hard_sigmoid": ("HardSigmoid", "ab", lambda x, a, b: np.clip(a * x + b, 0, 1)),
    "elu": ("Elu", "a", lambda x, a, b: np.where(x >= 0, x, a * np.expm1(np.minimum(x, 0)))),
    "softsign": ("Softsign", "", lambda x, a, b: x / (1 + np.abs(x))),
    "softplus": ("Softplus", "", lambda x, a, b: np.log1p(np.exp(x))),
}
STANDARD = {"rnn": [("tanh",)], "gru": [("sigmoid",), ("tanh",)], "lstm": [("sigmoid",), ("tanh",), ("tanh",)]}


class Case:
    """A cell and how it differs. acts are (name, alpha, beta), clip 0 is none."""

    def __init__(self, name, cell, direction="forward", reset="", acts=None, text="", clip=0.0, coupled=False, peephole=False):
        self.name, self.cell, self.direction, self.reset, self.text = name, cell, direction, reset, text
        self.acts = [(*a, 0.0, 0.0)[:3] for a in acts or STANDARD[cell]]
        self.clip, self.coupled, self.peephole = clip, coupled, peephole
        self.suffixes = {"forward": [""], "backward": ["_reverse"], "bidirectional": ["", "_reverse"]}[direction]

    def gates(self):
        """Blocks of rows in our order."""
        if self.cell == "lstm":
            return "igo" if self.coupled else "ifgo"
        return {"rnn": "a", "gru": "rzn"}[self.cell]

    def config(self):
        """What an rnn.Config is in JSON."""
        c = {"cell": self.cell, "input": X, "hidden": H, "layers": 1, "biases": 2, "direction": self.direction}
        more = {"reset": self.reset, "activation": self.text, "clip": self.clip, "coupled": self.coupled, "peephole": self.peephole}
        return c | {k: v for k, v in more.items() if v} | ({"merge": "concat"} if self.direction == "bidirectional" else {})


def draw(case, rng):
    """Weights by PyTorch's names, x and initial states, float32. Some are large, so that clipping has work to do."""
    f32 = lambda *shape, scale=1.0: rng.uniform(-scale, scale, shape).astype(np.float32)
    rows = len(case.gates()) * H
    params = {}
    for s in case.suffixes:
        for k, shape in {"weight_ih": (rows, X), "weight_hh": (rows, H), "bias_ih": (rows,), "bias_hh": (rows,)}.items():
            params[f"{k}_l0{s}"] = f32(*shape, scale=0.8)
        if case.peephole:
            params[f"weight_peephole_l0{s}"] = f32((len(case.gates()) - 1) * H, scale=0.8)
    d = len(case.suffixes)
    return params, f32(T, B, X, scale=1.5), f32(d, B, H), f32(d, B, H, scale=2)


def block(case, rows, gate):
    return rows[case.gates().index(gate) * H :][:H]


def to_onnx(case, params, rng):
    """W, R, B and P of the operator. Rows that coupled gates do not use are random: they must not matter."""
    order = {"rnn": "a", "gru": "zrn", "lstm": "iofg"}[case.cell]
    unused = lambda rows: rng.uniform(-1, 1, (H, *rows.shape[1:])).astype(np.float32)
    def stack(key):
        each = []
        for s in case.suffixes:
            rows = params[f"{key}_l0{s}"]
            each.append(np.concatenate([block(case, rows, g) if g in case.gates() else unused(rows) for g in order]))
        return np.stack(each)
    init = {"W": stack("weight_ih"), "R": stack("weight_hh"), "B": np.concatenate([stack("bias_ih"), stack("bias_hh")], axis=1)}
    if case.peephole:
        each = []
        for s in case.suffixes:
            p = np.split(params[f"weight_peephole_l0{s}"], len(case.gates()) - 1)
            i, f, o = p if not case.coupled else (p[0], unused(p[0]), p[1])
            each.append(np.concatenate([i, o, f]))
        init["P"] = np.stack(each)
    return init


def node(case):
    d = len(case.suffixes)
    more = {"activations": [FUNCTIONS[a[0]][0] for a in case.acts] * d}
    alphas = [float(a[1]) for a in case.acts if "a" in FUNCTIONS[a[0]][1]] * d
    betas = [float(a[2]) for a in case.acts if "b" in FUNCTIONS[a[0]][1]] * d
    more |= {"activation_alpha": alphas} if alphas else {}
    more |= {"activation_beta": betas} if betas else {}
    more |= {"clip": case.clip} if case.clip else {}
    more |= {"input_forget": 1} if case.coupled else {}
    more |= {"linear_before_reset": int(case.reset == "after")} if case.cell == "gru" else {}
    ins, outs = ["x", "W", "R", "B", "lengths", "h0"], ["Y", "Y_h"]
    if case.cell == "lstm":
        ins, outs = ins + ["c0"] + (["P"] if case.peephole else []), outs + ["Y_c"]
    direction = {"backward": "reverse"}.get(case.direction, case.direction)
    return helper.make_node(case.cell.upper(), ins, outs, hidden_size=H, direction=direction, **more)


def model(case, init):
    d = len(case.suffixes)
    value = lambda n, shape, kind=TensorProto.FLOAT: helper.make_tensor_value_info(n, kind, shape)
    states = ["h0", "c0"] if case.cell == "lstm" else ["h0"]
    ends = ["Y_h", "Y_c"] if case.cell == "lstm" else ["Y_h"]
    graph = helper.make_graph(
        [node(case)], case.cell,
        [value("x", [T, B, X]), value("lengths", [B], TensorProto.INT32)] + [value(s, [d, B, H]) for s in states],
        [value("Y", [T, d, B, H])] + [value(e, [d, B, H]) for e in ends],
        [onnx.numpy_helper.from_array(v, k) for k, v in init.items()],
    )  # fmt: skip
    m = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    onnx.checker.check_model(m)
    return m


def step(case, w, x, h, c, other=""):
    """One step in float64. other is the reading that is not ONNX Runtime's."""
    def pre(gate, extra=0.0):
        a = block(case, w["wx"], gate) @ x + block(case, w["bx"], gate) + extra
        return a + block(case, w["wh"], gate) @ h + block(case, w["bh"], gate)
    bound = lambda a: np.clip(a, -case.clip, case.clip) if case.clip else a
    act = lambda k, a, clip=True: FUNCTIONS[case.acts[k][0]][2](bound(a) if clip else a, *case.acts[k][1:])
    if case.cell == "rnn":
        return act(0, pre("a")), c
    if case.cell == "gru":
        r, z = act(0, pre("r")), act(0, pre("z"))
        xn = block(case, w["wx"], "n") @ x + block(case, w["bx"], "n")
        u, bu = block(case, w["wh"], "n"), block(case, w["bh"], "n")
        n = act(1, xn + (r * (u @ h + bu) if case.reset == "after" else u @ (r * h) + bu))
        return z * h + (1 - z) * n, c
    p = np.split(w["p"], len(case.gates()) - 1) if case.peephole else [np.zeros(H)] * 3
    i = act(0, pre("i", p[0] * c))
    f = 1 - i if case.coupled else act(0, pre("f", p[1] * c))
    if other == "i = 1 - f":
        i, f = f, i
    c = f * c + i * act(1, pre("g"))
    return act(0, pre("o", p[-1] * c)) * act(2, c, clip=other == "clipped c"), c


def by_hand(case, params, x, lengths, h0, c0, other=""):
    d = len(case.suffixes)
    y, hn, cn = np.zeros((T, B, d * H)), np.zeros((d, B, H)), np.zeros((d, B, H))
    for k, s in enumerate(case.suffixes):
        wide = lambda key: params[f"{key}_l0{s}"].astype(np.float64)
        w = {"wx": wide("weight_ih"), "wh": wide("weight_hh"), "bx": wide("bias_ih"), "bh": wide("bias_hh")}
        w |= {"p": wide("weight_peephole")} if case.peephole else {}
        for b, length in enumerate(lengths):
            h, c = h0[k, b].astype(np.float64), c0[k, b].astype(np.float64)
            for t in range(length) if s == "" else reversed(range(length)):
                h, c = step(case, w, x[t, b].astype(np.float64), h, c, other)
                y[t, b, k * H : (k + 1) * H] = h
            hn[k, b], cn[k, b] = h, c
    return y, hn, cn


def worst(got, want):
    return max(np.abs(g - w).max() / np.abs(w).max() for g, w in zip(got, want))


def run(case, index, rng):
    params, x, h0, c0 = draw(case, rng)
    lengths = np.array(LENGTHS[index % len(LENGTHS)], dtype=np.int64)
    m, d, lstm = model(case, to_onnx(case, params, rng)), len(case.suffixes), case.cell == "lstm"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(m.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = {"x": x, "lengths": lengths.astype(np.int32), "h0": h0} | ({"c0": c0} if lstm else {})
    outs = session.run(None, feed)
    outs[0] = outs[0].transpose(0, 2, 1, 3).reshape(T, B, d * H)
    hand = by_hand(case, params, x, lengths, h0, c0)
    off = worst(outs, hand)
    print(f"{case.name}: differs from the equations in float64 by {off:.1e}")
    assert off < 2e-6, "ONNX Runtime does not compute these equations"
    for other in (["i = 1 - f"] if case.coupled else []) + (["clipped c"] if case.clip and lstm else []):
        off = worst(outs, by_hand(case, params, x, lengths, h0, c0, other))
        assert off > 1e-2, f"{other}: would do as well"
    if case.peephole and not (case.coupled or case.clip or case.text or d == 2):
        reference(case, m, x, h0, c0, params)
    tensors = {**params, "x": x, "h0": h0, "lengths": lengths, "y": outs[0], "hn": outs[1]}
    return tensors | ({"c0": c0, "cn": outs[2]} if lstm else {})


def reference(case, m, x, h0, c0, params):
    """Peepholes also by the reference implementation of ONNX, which knows no lengths."""
    for n in m.graph.node:
        n.input[4] = ""
    del m.graph.input[1]
    got = ReferenceEvaluator(m).run(None, {"x": x, "h0": h0, "c0": c0})
    got[0] = got[0].transpose(0, 2, 1, 3).reshape(T, B, H)
    off = worst(got, by_hand(case, params, x, [T] * B, h0, c0))
    print(f"{case.name}: onnx.reference differs by {off:.1e}")
    assert off < 2e-6


def cases():
    for direction in ("forward", "backward", "bidirectional"):
        yield Case(f"ort_lstm_peephole_{direction}", "lstm", direction, peephole=True)
    yield Case("ort_lstm_coupled", "lstm", coupled=True)
    yield Case("ort_lstm_clip", "lstm", clip=0.5)
    yield Case("ort_lstm_all", "lstm", "bidirectional", coupled=True, peephole=True, clip=0.75,
               acts=[("hard_sigmoid", 0.3, 0.4), ("softsign",), ("scaled_tanh", 1.5, 0.5)],
               text="hard_sigmoid(0.3,0.4) softsign scaled_tanh(1.5,0.5)")  # fmt: skip
    yield Case("ort_lstm_relu", "lstm", acts=[("sigmoid",), ("relu",), ("relu",)], text="sigmoid relu relu")
    for reset in ("before", "after"):
        yield Case(f"ort_gru_{reset}_clip", "gru", reset=reset, clip=0.5)
        yield Case(f"ort_gru_{reset}_hard", "gru", "bidirectional", reset=reset, acts=[("hard_sigmoid", 0.2, 0.5), ("tanh",)], text="hard_sigmoid tanh")
        yield Case(f"ort_gru_{reset}_softplus", "gru", reset=reset, acts=[("sigmoid",), ("softplus",)], text="sigmoid softplus")
    yield Case("ort_rnn_clip", "rnn", "bidirectional", clip=0.5)
    for name, a, b in [
        ("sigmoid", 0, 0), ("identity", 1, 0), ("affine", 0.75, -0.25), ("leaky_relu", 0.125, 0), ("thresholded_relu", 0.5, 0), ("scaled_tanh", 1.5, 0.75),
        ("hard_sigmoid", 0.25, 0.375), ("elu", 0.5, 0), ("softsign", 0, 0), ("softplus", 0, 0),
    ]:  # fmt: skip
        values = ",".join(str(v) for v, takes in ((a, "a"), (b, "b")) if takes in FUNCTIONS[name][1])
        text = f"{name}({values})" if values and name != "identity" else name
        yield Case(f"ort_rnn_{name}", "rnn", acts=[(name, a, b)], text=text, clip=2.0 if name in ("identity", "affine", "softplus") else 0.0)


def onnx_cases(rng_of):
    """(name, tensors, metadata) of each."""
    for index, case in enumerate(cases()):
        tensors = run(case, index, rng_of(case.name))
        cell = {"rnn": "rnn_tanh", "gru": f"gru_{case.reset}", "lstm": "lstm"}[case.cell]
        yield case.name, tensors, {
            "kind": "rnn", "source": f"onnxruntime {onnxruntime.__version__}", "onnxruntime": onnxruntime.__version__,
            "onnx": onnx.__version__, "opset": OPSET, "dtype": "float32", "cell": cell, "layers": 1, "direction": case.direction,
            "biases": 2, "input": X, "hidden": H, "batch": B, "steps": T, "packed": 1,
            "config": json.dumps(case.config()), "activations": json.dumps(case.acts),
        }  # fmt: skip
