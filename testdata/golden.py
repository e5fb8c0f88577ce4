#!/usr/bin/env python3
"""Writes the golden files of testdata/golden.

    pip install -r testdata/requirements.txt
    python testdata/golden.py testdata/golden

PyTorch in float64 is the source for the cells, their gradients, the
optimizers, the losses, the clipping and, in golden_tasks.py, the tasks; ONNX
Runtime (float32: its GRU has no float64) for both variants of the GRU in each
direction and, in golden_onnx.py, for cells that PyTorch lacks. README.md says what each file holds. Every number comes from a seed that is the CRC-32 of the
file's name, so that a case does not move when another is added.
"""
import itertools
import json
import pathlib
import sys
import zlib

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper
from safetensors.numpy import save_file
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from golden_onnx import onnx_cases
from golden_tasks import task_cases

COMMAND = "python testdata/golden.py testdata/golden"
T, B, X, H = 7, 6, 3, 5  # steps, batch, input, hidden: unlike each other and L·D
P = 2  # width of a projection
# Unsorted lengths: with ties, with one of a single step, with none that reaches T.
LENGTHS = [[3, 7, 1, 5, 2, 6], [2, 4, 6, 2, 1, 4], [7, 1, 4, 6, 7, 3]]
OPSET = 22


def rng_of(name):
    return np.random.default_rng(zlib.crc32(name.encode()))


def write(out, name, tensors, metadata):
    """Writes one file; metadata values become strings, its order is fixed."""
    metadata = {k: str(v) for k, v in sorted(metadata.items())} | {"command": COMMAND}
    tensors = {k: np.ascontiguousarray(v) for k, v in sorted(tensors.items())}
    path = out / f"{name}.safetensors"
    save_file(tensors, path, metadata)
    reorder(path)
    path.chmod(0o644)


def reorder(path):
    """Sorts the header's metadata: safetensors writes it in a random order."""
    raw = path.read_bytes()
    n = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + n])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + n :])


# --- PyTorch ---------------------------------------------------------------


def module(cell, layers, directions, bias, projection):
    kinds = {
        "rnn_tanh": (torch.nn.RNN, {"nonlinearity": "tanh"}),
        "rnn_relu": (torch.nn.RNN, {"nonlinearity": "relu"}),
        "gru_after": (torch.nn.GRU, {}),
        "lstm": (torch.nn.LSTM, {"proj_size": projection}),
    }
    kind, more = kinds[cell]
    return kind(X, H, num_layers=layers, bias=bias, bidirectional=directions == 2, dtype=torch.float64, **more)


def torch_case(out, index, cell, layers, directions, packed, bias=True, projection=0):
    width = projection or H
    name = f"{cell}{'_proj' if projection else ''}_l{layers}_{'bi' if directions == 2 else 'fwd'}_{'packed' if packed else 'dense'}"
    name += "" if bias else "_nobias"
    rng = rng_of(name)

    def leaf(*shape, scale=1.0):
        return torch.tensor(rng.uniform(-scale, scale, shape)).requires_grad_()

    net = module(cell, layers, directions, bias, projection)
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(leaf(*p.shape, scale=0.6))
    ins = {"x": leaf(T, B, X, scale=1.5), "h0": leaf(layers * directions, B, width)}
    ups = {"dy": leaf(T, B, directions * width), "dhn": leaf(layers * directions, B, width)}
    if cell == "lstm":
        ins["c0"] = leaf(layers * directions, B, H)
        ups["dcn"] = leaf(layers * directions, B, H)
    state = (ins["h0"], ins["c0"]) if cell == "lstm" else ins["h0"]
    lengths = torch.tensor(LENGTHS[index % len(LENGTHS)])
    if packed:
        y, end = net(pack_padded_sequence(ins["x"], lengths, enforce_sorted=False), state)
        y, _ = pad_packed_sequence(y, total_length=T)
    else:
        y, end = net(ins["x"], state)
    outs = {"y": y, "hn": end[0] if cell == "lstm" else end}
    if cell == "lstm":
        outs["cn"] = end[1]
    loss = sum((outs[k[1:]] * v).sum() for k, v in ups.items())
    loss.backward()

    tensors = {**dict(net.named_parameters()), **ins}
    grads = {f"grad.{k}": v.grad for k, v in tensors.items()}
    tensors = {k: v.detach().numpy() for k, v in {**tensors, **outs, **ups, **grads}.items()}
    if packed:
        tensors["lengths"] = lengths.numpy()
    write(out, name, tensors, {
        "kind": "rnn", "source": f"torch {torch.__version__}", "torch": torch.__version__, "dtype": "float64",
        "cell": cell, "layers": layers, "direction": "bidirectional" if directions == 2 else "forward",
        "biases": 2 if bias else 0, "input": X, "hidden": H, "batch": B, "steps": T, "packed": int(packed),
        **({"projection": projection} if projection else {}),
    })  # fmt: skip


# --- ONNX Runtime ------------------------------------------------------------


def to_onnx(rows):
    """Gate rows r,z,n (PyTorch) to z,r,h (ONNX)."""
    r, z, n = np.split(rows, 3)
    return np.concatenate([z, r, n])


def run_onnx(params, suffixes, x, lengths, h0, reset_after):
    """A one-node model; weights under PyTorch's names. Returns Y (T,D,B,H) and Y_h (D,B,H)."""
    d = len(suffixes)
    direction = "bidirectional" if d == 2 else {"": "forward", "_reverse": "reverse"}[suffixes[0]]
    stack = lambda key: np.stack([to_onnx(params[f"{key}_l0{s}"]) for s in suffixes])
    init = {
        "W": stack("weight_ih"),  # (D, 3H, X)
        "R": stack("weight_hh"),  # (D, 3H, H)
        "B": np.concatenate([stack("bias_ih"), stack("bias_hh")], axis=1),  # (D, 6H)
    }
    value = lambda n, kind, shape: helper.make_tensor_value_info(n, kind, shape)
    node = helper.make_node(
        "GRU", ["x", "W", "R", "B", "lengths", "h0"], ["Y", "Y_h"],
        hidden_size=H, direction=direction, linear_before_reset=int(reset_after),
    )  # fmt: skip
    graph = helper.make_graph(
        [node], "gru",
        [value("x", TensorProto.FLOAT, [T, B, X]), value("lengths", TensorProto.INT32, [B]), value("h0", TensorProto.FLOAT, [d, B, H])],
        [value("Y", TensorProto.FLOAT, [T, d, B, H]), value("Y_h", TensorProto.FLOAT, [d, B, H])],
        [onnx.numpy_helper.from_array(v, k) for k, v in init.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x, "lengths": lengths.astype(np.int32), "h0": h0})


def by_hand(params, suffixes, x, lengths, h0, reset_after):
    """The textbook's equations in float64, to bound ONNX Runtime's own error."""
    sig = lambda v: 1 / (1 + np.exp(-v))
    y, end = np.zeros((T, B, len(suffixes) * H)), np.zeros((len(suffixes), B, H))
    for d, s in enumerate(suffixes):
        w, u, bw, bu = (params[f"{k}_l0{s}"].astype(np.float64) for k in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        for b, length in enumerate(lengths):
            h = h0[d, b].astype(np.float64)
            for t in range(length) if s == "" else reversed(range(length)):
                xr, xz, xn = np.split(w @ x[t, b] + bw, 3)
                hr, hz, hn = np.split(u @ h + bu, 3)
                r, z = sig(xr + hr), sig(xz + hz)
                n = np.tanh(xn + r * hn) if reset_after else np.tanh(xn + u[2 * H :] @ (r * h) + bu[2 * H :])
                h = z * h + (1 - z) * n
                y[t, b, d * H : (d + 1) * H] = h
            end[d, b] = h
    return y, end


def ort_case(out, index, cell, direction):
    name = f"ort_{cell}_{direction}"
    rng = rng_of(name)
    f32 = lambda *shape, scale=1.0: rng.uniform(-scale, scale, shape).astype(np.float32)
    suffixes = {"forward": [""], "backward": ["_reverse"], "bidirectional": ["", "_reverse"]}[direction]
    shapes = {"weight_ih": (3 * H, X), "weight_hh": (3 * H, H), "bias_ih": (3 * H,), "bias_hh": (3 * H,)}
    params = {f"{k}_l0{s}": f32(*shape, scale=0.6) for s in suffixes for k, shape in shapes.items()}
    d = len(suffixes)
    x, h0, lengths = f32(T, B, X, scale=1.5), f32(d, B, H), np.array(LENGTHS[index % len(LENGTHS)], dtype=np.int64)
    Y, Y_h = run_onnx(params, suffixes, x, lengths, h0, cell == "gru_after")
    y = Y.transpose(0, 2, 1, 3).reshape(T, B, d * H)
    for got, want, what in zip((y, Y_h), by_hand(params, suffixes, x, lengths, h0, cell == "gru_after"), ("y", "hn")):
        worst = np.abs(got - want).max() / np.abs(want).max()
        print(f"{name}: {what} differs from the equations in float64 by {worst:.1e}")
        assert worst < 2e-6, "ONNX Runtime does not compute these equations"
    write(out, name, {**params, "x": x, "h0": h0, "lengths": lengths, "y": y, "hn": Y_h}, {
        "kind": "rnn", "source": f"onnxruntime {onnxruntime.__version__}", "onnxruntime": onnxruntime.__version__,
        "onnx": onnx.__version__, "opset": OPSET, "dtype": "float32", "cell": cell, "layers": 1, "direction": direction,
        "biases": 2, "input": X, "hidden": H, "batch": B, "steps": T, "packed": 1,
    })  # fmt: skip


# --- what stands around ------------------------------------------------------


def optim_case(out, name, make, hyper):
    rng, n, updates = rng_of(name), 20, 10
    start, grads = rng.uniform(-1, 1, n), rng.normal(size=(updates, n))
    grads[:, 0] = 0  # a parameter that is never moved
    grads[:, 1] *= 1e-6  # one whose gradient is near Adam's ε
    grads[5:, 2] = 0  # one that only coasts after a while
    p = torch.nn.Parameter(torch.tensor(start))
    opt, params = make([p]), []
    for g in grads:
        p.grad = torch.tensor(g)
        opt.step()
        params.append(p.detach().numpy().copy())
    write(out, name, {"start": start, "grads": grads, "params": np.array(params)}, {
        "kind": "optim", "torch": torch.__version__, "dtype": "float64", **hyper,
    })  # fmt: skip


def around(out):
    optim_case(out, "optim_sgd", lambda p: torch.optim.SGD(p, lr=0.1), {"optimizer": "sgd", "lr": 0.1})
    optim_case(out, "optim_sgd_momentum", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
               {"optimizer": "sgd", "lr": 0.1, "momentum": 0.9})  # fmt: skip
    optim_case(out, "optim_adam", lambda p: torch.optim.Adam(p, lr=0.01),
               {"optimizer": "adam", "lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8})  # fmt: skip
    optim_case(out, "optim_sgd_decay", lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.2),
               {"optimizer": "sgd", "lr": 0.1, "weight_decay": 0.2})  # fmt: skip
    optim_case(out, "optim_sgd_momentum_decay", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.2),
               {"optimizer": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.2})  # fmt: skip
    optim_case(out, "optim_adamw", lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.5),
               {"optimizer": "adam", "lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.5})  # fmt: skip

    rng = rng_of("loss_cross_entropy")
    logits = torch.tensor(rng.normal(size=(6, 9)) * 3).requires_grad_()
    targets = torch.tensor([4, 0, -1, 8, 4, 2])
    loss = torch.nn.functional.cross_entropy(logits, targets, ignore_index=-1)
    loss.backward()
    write(out, "loss_cross_entropy", {
        "logits": logits.detach().numpy(), "targets": targets.numpy(), "loss": loss.detach().numpy().reshape(1),
        "grad.logits": logits.grad.numpy(),
    }, {"kind": "loss", "torch": torch.__version__, "dtype": "float64", "ignore_index": -1, "reduction": "mean"})  # fmt: skip

    grad = rng_of("clip_norm").normal(size=20)
    for name, factor in (("clip_norm_small", 0.25), ("clip_norm_large", 4.0)):
        limit = round(factor * float(np.linalg.norm(grad)), 3)
        p = torch.nn.Parameter(torch.zeros(20, dtype=torch.float64))
        p.grad = torch.tensor(grad)
        norm = torch.nn.utils.clip_grad_norm_([p], limit)
        write(out, name, {"grad": grad, "clipped": p.grad.numpy(), "norm": norm.numpy().reshape(1), "limit": np.array([limit])}, {
            "kind": "clip", "torch": torch.__version__, "dtype": "float64",
        })  # fmt: skip


def adaptive_case(out, name, width, classes, cutoffs, div, bias, targets):
    rng = rng_of(name)
    net = torch.nn.AdaptiveLogSoftmaxWithLoss(width, classes, cutoffs, div_value=div, head_bias=bias, dtype=torch.float64)
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.tensor(rng.uniform(-0.9, 0.9, p.shape)))
    x, targets = torch.tensor(rng.normal(size=(len(targets), width))).requires_grad_(), torch.tensor(targets)
    output, loss = net(x, targets)
    loss.backward()
    tensors = {**dict(net.named_parameters()), "x": x}
    grads = {f"grad.{k}": torch.zeros_like(v) if v.grad is None else v.grad for k, v in tensors.items()}
    tensors = {**tensors, **grads, "targets": targets, "output": output, "loss": loss.reshape(1), "log_prob": net.log_prob(x)}
    write(out, name, {k: v.detach().numpy() for k, v in tensors.items()}, {
        "kind": "adaptive", "torch": torch.__version__, "dtype": "float64", "in_features": width, "n_classes": classes,
        "cutoffs": json.dumps(cutoffs), "div_value": div, "head_bias": int(bias),
    })  # fmt: skip


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: python testdata/golden.py FOLDER")
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    cells = ["rnn_tanh", "rnn_relu", "gru_after", "lstm"]
    for i, case in enumerate(itertools.product(cells, (1, 2), (1, 2), (False, True))):
        torch_case(out, i // 2, *case)
    for i, cell in enumerate(["gru_after", "lstm"]):
        torch_case(out, i, cell, 1, 2, True, bias=False)
    for i, case in enumerate(itertools.product((1, 2), (1, 2), (False, True))):
        torch_case(out, i // 2, "lstm", *case, projection=P)
    for i, case in enumerate(itertools.product(["gru_before", "gru_after"], ["forward", "backward", "bidirectional"])):
        ort_case(out, i, *case)
    around(out)
    adaptive_case(out, "adaptive_bias", 17, 23, [6, 13], 4, True, [0, 7, 22, 5, 12, 13, 6, 1, 18])
    adaptive_case(out, "adaptive_nobias", 9, 12, [3, 5, 8], 2, False, [7, 1, 0, 5, 9, 6])  # one tail has no target
    for name, tensors, metadata in itertools.chain(onnx_cases(rng_of), task_cases(rng_of)):
        write(out, name, tensors, metadata)


if __name__ == "__main__":
    main()
