"""Makes the ONNX files of this folder and, beside each, NAME.safetensors with
inputs and what ONNX Runtime gave for them (ONNX's reference for layout 1, which
ONNX Runtime refuses):

    pip install -r testdata/requirements.txt onnxscript==0.7.2
    python convert/testdata/onnx/make.py

with Python 3.11, torch 2.15.0, onnx 1.23.2, onnxruntime 1.32.0, onnxscript 0.7.2.
All is time first whatever the graph has:

    x or ids   (T, B, F) or (T, B)
    lengths    (B), of graphs that have them
    h0, c0     (L·D, B, H), of graphs that begin with a state
    y          (T, B, K) or (B, K): the head's outputs, or those of the layers

Metadata: softmax ("", "prob" or "log") is what the graph ends with. Files torch_…_ts
are by torch.onnx.export(dynamo=False), torch_…_dyn by dynamo=True; hand_… are by
onnx.helper, as other exporters write.
"""
import os
import sys
import warnings
import zlib

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto as TP, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from safetensors.numpy import save_file
from torch import nn

warnings.filterwarnings("ignore")
here = os.path.dirname(os.path.abspath(__file__))
T, B, F, V, H, K = 5, 3, 2, 6, 4, 3
only = sys.argv[1:]


def run(path, feeds):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    s = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return dict(zip([o.name for o in s.get_outputs()], s.run(None, feeds)))


def save(name, tensors, softmax=""):
    meta = {"softmax": softmax, "source": f"onnxruntime {ort.__version__}, torch {torch.__version__}, onnx {onnx.__version__}"}
    save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, os.path.join(here, name + ".safetensors"), metadata=meta)


class Model(nn.Module):
    def __init__(self, cell, layers=1, bi=False, first=False, read="numbers", head=True, tail="steps", bias=True, softmax="", state=False, **more):
        super().__init__()
        width = {"numbers": F, "embed": 3, "linear": 3, "onehot": V}[read]
        self.embed = nn.Embedding(V, 3) if read == "embed" else None
        self.input = nn.Linear(F, 3) if read == "linear" else None
        self.rnn = getattr(nn, cell)(width, H, layers, bidirectional=bi, batch_first=first, bias=bias, **more)
        out = H * (2 if bi and tail not in ("sum", "average", "multiply") else 1)
        self.head = nn.Linear(out, K, bias=bias) if head else None
        self.read, self.first, self.bi, self.tail, self.softmax, self.state, self.cell = read, first, bi, tail, softmax, state, cell

    def forward(self, x, *rest):
        t = 1 if self.first else 0
        if self.embed is not None:
            x = self.embed(x)
        if self.input is not None:
            x = torch.relu(self.input(x))
        if self.read == "onehot":
            x = nn.functional.one_hot(x, V).float()
        if self.tail == "packed":
            p = nn.utils.rnn.pack_padded_sequence(x, rest[0], batch_first=self.first, enforce_sorted=False)
            y, h = self.rnn(p)
            y, _ = nn.utils.rnn.pad_packed_sequence(y, batch_first=self.first)
        elif self.state:
            y, h = self.rnn(x, rest if self.cell == "LSTM" else rest[0])
        else:
            y, h = self.rnn(x)
        states = h if isinstance(h, tuple) else (h,)
        h = states[0]
        if self.tail in ("sum", "average", "multiply"):
            y = y.view(y.shape[0], y.shape[1], 2, H)
            y = {"sum": lambda: y.sum(2), "average": lambda: y.mean(2), "multiply": lambda: y[:, :, 0] * y[:, :, 1]}[self.tail]()
        elif self.tail == "last":
            y = y.select(t, -1)
        elif self.tail == "ends":
            y = torch.cat([h[-2], h[-1]], -1) if self.bi else h[-1]
        elif self.tail == "swapped":
            y = torch.cat([h[-1], h[-2]], -1)
        elif self.tail == "mean":
            y = y.mean(t)
        elif self.tail == "max":
            y = torch.amax(y, t)
        if self.head is not None:
            y = self.head(y)
        if self.softmax:
            y = y.log_softmax(-1) if self.softmax == "log" else y.softmax(-1)
        return (y, *states) if self.state else y


def torch_model(name, how, model, tensors, fold=True):
    full = f"torch_{name}_{how}"
    if only and full not in only:
        return
    torch.manual_seed(zlib.crc32(name.encode()))
    for p in model.parameters():
        nn.init.uniform_(p, -0.7, 0.7)
    model.eval()
    r = np.random.default_rng(zlib.crc32(name.encode()))
    symbols = model.read in ("embed", "onehot")
    x = r.integers(0, V, (T, B)) if symbols else r.standard_normal((T, B, F)).astype(np.float32)
    tensors = {"ids" if symbols else "x": x, **tensors}
    bt = (1, 0) if model.first else (0, 1)
    inner = {"x": torch.tensor(np.swapaxes(x, 0, 1) if model.first else x)}
    axes = {"x": {bt[0]: "t", bt[1]: "b"}} if not model.first else {"x": {0: "b", 1: "t"}}
    ln = model.rnn.num_layers * (2 if model.bi else 1)
    if model.state:
        for s in ["h0", "c0"][: 2 if model.cell == "LSTM" else 1]:
            tensors[s] = r.standard_normal((ln, B, H)).astype(np.float32)
            inner[s] = torch.tensor(tensors[s])
            axes[s] = {1: "b"}
    if model.tail == "packed":
        tensors["lengths"] = np.array([3, 5, 1][:B])
        inner["lengths"] = torch.tensor(tensors["lengths"])
        axes["lengths"] = {0: "b"}
    path = os.path.join(here, full + ".onnx")
    args = tuple(inner.values())
    if how == "dyn":
        dims = tuple({k: torch.export.Dim.AUTO for k in axes[n]} for n in inner)
        # Another batch and length than those of the goldens, which must not matter.
        if not model.state:
            args = (torch.cat([args[0], args[0]], 0),)
            dims = (dims[0],)
        shapes = (dims[0], dims[1:]) if len(dims) > 1 else dims
        program = torch.onnx.export(model, args, dynamo=True, dynamic_shapes=shapes, verbose=False)
        for node in program.model.graph:  # where a node came from, with the maker's paths
            node.metadata_props.clear()
            node.doc_string = None
        for v in list(program.model.graph.inputs) + list(program.model.graph.initializers.values()):
            v.metadata_props.clear()
        program.model.graph.metadata_props.clear()
        program.save(path, external_data=name == "gru2bi_ends")
    else:
        outputs = ["y"] + (["hn", "cn"][: len(inner) - 1] if model.state else [])
        torch.onnx.export(model, args, path, dynamo=False, dynamic_axes=axes, input_names=list(inner), output_names=outputs, do_constant_folding=fold)
    m = onnx.load(path, load_external_data=False)
    names = [i.name for i in m.graph.input]
    out = run(path, {n: v.numpy() for n, v in zip(names, inner.values())})
    y = out[m.graph.output[0].name]
    with torch.no_grad():
        want = model(*inner.values())
    want = (want[0] if model.state else want).numpy()
    assert np.allclose(y, want, atol=1e-5), full
    tensors["y"] = np.swapaxes(y, 0, 1) if model.first and y.ndim == 3 else y
    save(full, tensors, model.softmax)


def both(name, *args, **kwargs):
    for how in ("ts", "dyn"):
        torch_model(name, how, Model(*args, **kwargs), {})


def torches():
    ts = lambda name, *a, fold=True, **k: torch_model(name, "ts", Model(*a, **k), {}, fold)
    both("gru", "GRU", head=False)
    both("gru2", "GRU", 2, first=True, tail="last")
    both("lstm2bi", "LSTM", 2, bi=True, first=True, read="embed")
    both("grubi_ends", "GRU", bi=True, first=True, read="embed", tail="ends")
    both("gru2bi_ends", "GRU", 2, bi=True, read="embed", tail="ends")
    both("gru_swapped", "GRU", bi=True, tail="swapped")
    both("lstm2_state", "LSTM", 2, read="embed", state=True, softmax="log")
    both("gru_state", "GRU", first=True, state=True)
    both("lstm_linear", "LSTM", read="linear", first=True, softmax="prob")
    both("grubi_mean", "GRU", bi=True, first=True, tail="mean")
    both("lstm_max", "LSTM", tail="max", first=True)
    both("grubi_sum", "GRU", bi=True, tail="sum", first=True)
    both("grubi_average", "GRU", bi=True, tail="average", first=True)
    both("grubi_multiply", "GRU", bi=True, tail="multiply", first=True)
    both("gru_nobias", "GRU", bias=False)
    both("gru_onehot", "GRU", read="onehot", first=True)
    ts("rnn", "RNN")
    ts("rnn2bi_relu", "RNN", 2, bi=True, first=True, read="embed", nonlinearity="relu")
    ts("rnn2_ends", "RNN", 2, read="embed", tail="ends")
    ts("gru_unfolded", "GRU", 2, bi=True, first=True, read="embed", fold=False)
    ts("lstm_packed", "LSTM", 2, bi=True, tail="packed")
    ts("gru_packed", "GRU", first=True, read="embed", tail="packed")


class Graph:
    """A graph by onnx.helper, node by node."""

    def __init__(self, name, opset=17, ir=8):
        self.name, self.opset, self.ir = name, opset, ir
        self.r = np.random.default_rng(zlib.crc32(name.encode()))
        self.nodes, self.tensors, self.inputs, self.n = [], [], [], 0

    def input(self, name, kind, *dims):
        self.inputs.append(helper.make_tensor_value_info(name, kind, dims))
        return name

    def const(self, value, name=None, constant_node=False):
        self.n += 1
        name = name or f"const_{self.n}"
        t = numpy_helper.from_array(np.array(value), name)
        if constant_node:
            self.nodes.append(helper.make_node("Constant", [], [name], value=t))
        else:
            self.tensors.append(t)
        return name

    def weight(self, *shape):
        return self.const(self.r.uniform(-0.7, 0.7, shape).astype(np.float32))

    def op(self, kind, *inputs, outputs=1, **attributes):
        self.n += 1
        out = [f"{kind.lower()}_{self.n}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), out, **attributes))
        return out[0] if outputs == 1 else out

    def ints(self, *v):
        return self.const(np.array(v, dtype=np.int64), constant_node=self.n % 2 == 0)

    def cell(self, kind, x, width, d=1, h=H, lens="", start="", bias=True, p=False, **attributes):
        g = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
        w, r = self.weight(d, g * h, width), self.weight(d, g * h, h)
        b = self.weight(d, 2 * g * h) if bias else ""
        inputs = [x, w, r, b, lens, start] + (["", self.weight(d, 3 * h)] if p else [])
        while inputs[-1] == "":
            inputs.pop()
        return self.op(kind, *inputs, outputs=3 if kind == "LSTM" else 2, hidden_size=h, **attributes)

    def dense(self, x, width, out=K):
        return self.op("Add", self.op("MatMul", x, self.weight(width, out)), self.weight(out))

    def save(self, y, tensors, feeds, reference=False, first=False, softmax=""):
        """first: y is (B, T, K)."""
        full = "hand_" + self.name
        if only and full not in only:
            return
        inputs = self.inputs
        if self.ir < 4:  # initializers are inputs, too
            inputs = inputs + [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in self.tensors]
        self.nodes.append(helper.make_node("Identity", [y], ["y"]))
        graph = helper.make_graph(self.nodes, "g", inputs, [helper.make_tensor_value_info("y", TP.FLOAT, None)], self.tensors)
        m = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=self.ir)
        path = os.path.join(here, full + ".onnx")
        onnx.save(m, path)
        if reference:
            out = ReferenceEvaluator(m).run(None, feeds)[0]
        else:
            out = run(path, feeds)["y"]
        save(full, {**tensors, "y": np.swapaxes(out, 0, 1) if first else out}, softmax)

    def x(self, *shape):
        return self.r.standard_normal(shape).astype(np.float32)


def swap(a):
    return np.ascontiguousarray(np.swapaxes(a, 0, 1))


def hands():
    # As Keras is written by tf2onnx: symbols are floats, rows come first, directions
    # are nodes of their own, the head works on all rows and steps at once.
    g = Graph("keras_tagger", 15)
    ids = g.r.integers(0, V, (T, B))
    x = g.input("input", TP.FLOAT, "unk__1", "unk__2")
    e = g.op("Transpose", g.op("Gather", g.weight(V, 3), g.op("Cast", x, to=TP.INT32)), perm=[1, 0, 2])
    batch = g.op("Slice", g.op("Shape", x), g.ints(0), g.ints(1), g.ints(0))
    zeros = g.op("Unsqueeze", g.op("Expand", g.const(np.zeros((1, H), np.float32)), g.op("Concat", batch, g.ints(H), axis=0)), g.ints(0))
    f = g.op("Transpose", g.op("Squeeze", g.cell("LSTM", e, 3, start=zeros)[0], g.ints(1)), perm=[1, 0, 2])
    b = g.op("Transpose", g.op("Squeeze", g.cell("LSTM", e, 3, start=zeros, direction="reverse")[0], g.ints(1)), perm=[1, 0, 2])
    y = g.op("Concat", f, b, axis=-1)
    sizes = g.op("Split", g.op("Shape", y), outputs=3, axis=0)
    rows = g.dense(g.op("Reshape", y, g.ints(-1, 2 * H)), 2 * H)
    y = g.op("Reshape", rows, g.op("Concat", sizes[0], sizes[1], g.ints(K), axis=0))
    g.save(g.op("Softmax", y, axis=-1), {"ids": ids}, {"input": swap(ids).astype(np.float32)}, first=True, softmax="prob")

    g = Graph("keras_last", 13)
    x = g.x(T, B, F)
    g.input("x", TP.FLOAT, None, None, F)
    h = g.cell("GRU", g.op("Transpose", "x", perm=[1, 0, 2]), F, linear_before_reset=0)[1]
    y = g.op("Gemm", g.op("Squeeze", h, g.ints(0)), g.weight(H, K), g.weight(1, K))
    g.save(y, {"x": x}, {"x": swap(x)})

    for how in ("slice", "sequence"):
        g = Graph("flipped_" + how)
        x = g.x(T, B, F)
        g.input("x", TP.FLOAT, "t", "b", F)
        if how == "slice":
            flip = lambda v: g.op("Slice", v, g.ints(-1), g.ints(-(2**63)), g.ints(0), g.ints(-1))
        else:
            sizes = g.op("Shape", "x")
            lens = g.op("Expand", g.op("Slice", sizes, g.ints(0), g.ints(1)), g.op("Slice", sizes, g.ints(1), g.ints(2)))
            flip = lambda v: g.op("ReverseSequence", v, lens, time_axis=0, batch_axis=1)
        y = flip(g.op("Squeeze", g.cell("GRU", flip("x"), F, linear_before_reset=1)[0], g.ints(1)))
        forward = g.op("Squeeze", g.cell("GRU", "x", F, linear_before_reset=1)[0], g.ints(1))
        g.save(g.dense(g.op("Concat", y, forward, axis=2), 2 * H), {"x": x}, {"x": x})

    g = Graph("reverse_ends")
    x = g.x(T, B, F)
    g.input("x", TP.FLOAT, "t", "b", F)
    h = g.cell("LSTM", "x", F, direction="reverse")[1]
    g.save(g.dense(g.op("Flatten", g.op("Transpose", h, perm=[1, 0, 2])), H), {"x": x}, {"x": x})

    g = Graph("layout1")  # rows first
    x = g.x(T, B, F)
    g.input("x", TP.FLOAT, "b", "t", F)
    y, _ = g.cell("GRU", "x", F, layout=1, linear_before_reset=1)
    y = g.op("Reshape", y, g.ints(0, 0, -1))
    _, h = g.cell("GRU", y, H, layout=1, linear_before_reset=1)
    g.save(g.dense(g.op("Squeeze", h, g.ints(1)), H), {"x": x}, {"x": swap(x)}, reference=True)

    for how in ("split", "mean", "reduce"):
        g = Graph("average_" + how, 13)
        x = g.x(T, B, F)
        g.input("x", TP.FLOAT, "t", "b", F)
        y = g.cell("GRU", "x", F, 2, direction="bidirectional", linear_before_reset=0)[0]
        if how == "reduce":
            y = g.op("Div", g.op("ReduceSum", y, g.ints(1), keepdims=0), g.const(np.float32(2)))
        else:
            a, b = g.op("Split", y, g.ints(1, 1), outputs=2, axis=1)
            a, b = g.op("Squeeze", a, g.ints(1)), g.op("Squeeze", b, g.ints(1))
            y = g.op("Mean", a, b) if how == "mean" else g.op("Mul", g.const(np.float32([0.5])), g.op("Sum", b, a))
        y = g.cell("GRU", y, H, 2, direction="bidirectional", linear_before_reset=0)[0]
        y = g.op("Reshape", g.op("Transpose", y, perm=[0, 2, 1, 3]), g.ints(0, 0, -1))
        g.save(g.dense(y, 2 * H), {"x": x}, {"x": x})

    g = Graph("last_and_first")  # of each direction its own last output
    x = g.x(T, B, F)
    g.input("x", TP.FLOAT, "t", "b", F)
    y = g.cell("LSTM", "x", F, 2, direction="bidirectional")[0]
    last = g.op("Squeeze", g.op("Slice", y, g.ints(-1, 0), g.ints(2**62, 1), g.ints(0, 1)), g.ints(0, 1))
    zero = g.const(np.int64(0))
    start = g.op("Gather", g.op("Gather", y, zero, axis=0), g.const(np.int64(1)), axis=0)
    g.save(g.dense(g.op("Concat", last, start, axis=1), 2 * H), {"x": x}, {"x": x})

    g = Graph("features_cut")  # directions are taken out of joined features
    x = g.x(T, B, F)
    g.input("x", TP.FLOAT, "t", "b", F)
    y = g.cell("GRU", "x", F, 2, direction="bidirectional", linear_before_reset=1)[0]
    y = g.op("Reshape", g.op("Transpose", y, perm=[0, 2, 1, 3]), g.ints(0, 0, 2 * H))
    a, b = g.op("Slice", y, g.ints(0), g.ints(H), g.ints(2)), g.op("Slice", y, g.ints(H), g.ints(2 * H), g.ints(-1))
    g.save(g.dense(g.op("Mul", a, b), H), {"x": x}, {"x": x})

    g = Graph("one_direction")  # the other one is of no use
    x = g.x(T, B, F)
    g.input("x", TP.FLOAT, "t", "b", F)
    y = g.cell("GRU", "x", F, 2, direction="bidirectional", linear_before_reset=1)[0]
    g.save(g.dense(g.op("Gather", y, g.const(np.int64(1)), axis=1), H), {"x": x}, {"x": x})

    g = Graph("pyramid", 22, 10)  # layers of different widths
    x = g.x(T, B, F)
    g.input("x", TP.FLOAT, "t", "b", F)
    y = g.op("Squeeze", g.cell("LSTM", "x", F, h=5)[0], g.ints(1))
    y = g.op("Squeeze", g.cell("LSTM", g.op("Dropout", y, g.const(np.float32(0.5)), g.const(False)), 5, h=3)[0], g.ints(1))
    g.save(g.op("LogSoftmax", g.dense(y, 3)), {"x": x}, {"x": x}, softmax="log")

    g = Graph("fixed", 14)  # one row of five steps, and shapes that are numbers
    x = g.x(T, 1, F)
    g.input("x", TP.FLOAT, 1, T, F)
    y = g.cell("GRU", g.op("Reshape", "x", g.ints(T, 1, F)), F, start=g.const(np.zeros((1, 1, H), np.float32)), linear_before_reset=1)[0]
    y = g.op("Gather", g.op("Reshape", y, g.ints(1, T, H)), g.ints(T - 1), axis=1)
    g.save(g.dense(g.op("Reshape", y, g.ints(-1, H)), H), {"x": x}, {"x": swap(x)})

    for how in ("lstm", "gru"):
        g = Graph("lengths_" + how)
        x, n = g.x(T, B, F), np.array([2, 5, 1], np.int32)
        g.input("x", TP.FLOAT, "t", "b", F)
        g.input("n", TP.INT32, "b")
        out = g.cell(how.upper(), "x", F, 2, lens="n", direction="bidirectional", **({"linear_before_reset": 1} if how == "gru" else {}))
        if how == "gru":
            y = g.dense(g.op("Reshape", g.op("Transpose", out[1], perm=[1, 0, 2]), g.ints(0, -1)), 2 * H)
        else:
            y = g.dense(g.op("Reshape", g.op("Transpose", out[0], perm=[0, 2, 1, 3]), g.ints(0, 0, -1)), 2 * H)
        g.save(y, {"x": x, "lengths": n.astype(np.int64)}, {"x": x, "n": n})

    g = Graph("old", 9, 3)  # axes are attributes, initializers are inputs
    x = g.x(T, B, F)
    g.input("x", TP.FLOAT, "t", "b", F)
    y = g.op("Squeeze", g.cell("GRU", "x", F)[0], axes=[1])
    y = g.op("Slice", y, axes=[0], starts=[-1], ends=[2**31 - 1])
    y = g.op("Softmax", g.dense(g.op("Squeeze", y, axes=[0]), H))
    g.save(y, {"x": x}, {"x": x}, softmax="prob")

    g = Graph("step")  # one step, the state fed back
    x = g.x(1, B, F)
    g.input("x", TP.FLOAT, "b", F)
    g.input("h", TP.FLOAT, 2, "b", H)
    h0, c0 = g.op("Split", "h", outputs=2, axis=0)
    w = [g.weight(1, 4 * H, F), g.weight(1, 4 * H, H), g.weight(1, 8 * H)]
    y = g.op("LSTM", g.op("Unsqueeze", "x", g.ints(0)), *w, "", h0, c0, outputs=3, hidden_size=H)[0]
    h = g.x(2, B, H)
    y = g.dense(g.op("Squeeze", y, g.ints(0, 1)), H)
    g.save(g.op("Unsqueeze", y, g.ints(0)), {"x": x, "h0": h[:1], "c0": h[1:]}, {"x": x[0], "h": h})

    # What cells may have beside the standard one.
    twice = lambda *names: list(names) * 2
    for name, kind, d, more in (
        ("clip_gru", "GRU", 2, {"clip": 0.3, "linear_before_reset": 1}),
        ("clip_lstm", "LSTM", 2, {"clip": 0.25}),
        ("clip_rnn", "RNN", 1, {"clip": 0.5, "activations": ["Relu"]}),
        ("coupled", "LSTM", 2, {"input_forget": 1}),
        ("peepholes", "LSTM", 2, {"p": True}),
        ("coupled_peepholes", "LSTM", 1, {"p": True, "input_forget": 1, "clip": 0.4}),
        ("hard_lstm", "LSTM", 2, {"activations": twice("HardSigmoid", "Softsign", "ScaledTanh"), "activation_alpha": [0.3, 1.5] * 2, "activation_beta": [0.4, 0.7] * 2}),
        ("hard_gru", "GRU", 2, {"activations": twice("HardSigmoid", "Elu"), "activation_alpha": [0.2, 1.0] * 2, "activation_beta": [0.5] * 2}),
        ("gates_gru", "GRU", 1, {"activations": ["Sigmoid", "LeakyRelu"], "activation_alpha": [0.1], "linear_before_reset": 0}),
        ("affine", "RNN", 1, {"activations": ["Affine"], "activation_alpha": [0.5], "activation_beta": [0.125]}),
        ("thresholded", "RNN", 2, {"activations": twice("ThresholdedRelu"), "activation_alpha": [0.2, 0.2]}),
        ("softplus", "RNN", 1, {"activations": ["Softplus"]}),
        ("explicit", "LSTM", 1, {"activations": ["Sigmoid", "Tanh", "Tanh"]}),
        ("nobias", "LSTM", 1, {"bias": False}),
    ):
        g = Graph("cell_" + name, 14)
        x = g.x(T, B, F) * 2
        g.input("x", TP.FLOAT, "t", "b", F)
        g.input("n", TP.INT32, "b")
        direction = {"direction": "bidirectional"} if d == 2 else {}
        y = g.cell(kind, "x", F, d, lens="n", **direction, **more)[0]
        y = g.op("Reshape", g.op("Transpose", y, perm=[0, 2, 1, 3]), g.ints(0, 0, -1))
        n = np.array([4, 5, 2], np.int32)
        g.save(y, {"x": x, "lengths": n.astype(np.int64)}, {"x": x, "n": n})


hands()
if not any(n.startswith("hand_") for n in only):
    torches()
