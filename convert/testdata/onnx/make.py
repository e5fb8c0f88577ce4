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
            y = y.max(t)[0] if False else torch.amax(y, t)
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
        program.save(path, external_data=name.startswith("gru2"))
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


torches()
