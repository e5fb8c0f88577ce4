#!/usr/bin/env python3
"""Loads a sluice model in PyTorch and compares what both compute.

    pip install -r testdata/requirements.txt
    python testdata/check_model.py MODEL.safetensors OUT [--tolerance 1e-5]

MODEL is a sluice model file. Its metadata key "rnn" is JSON with the fields
cell ("rnn", "gru", "lstm"), activation ("tanh" or "relu", only for "rnn",
default "tanh"), reset ("after" or "before", only for "gru"), input, hidden,
layers, direction ("forward" or "bidirectional") and merge ("concat"). Its
tensors that start with "rnn." go, without that prefix, through
load_state_dict(strict=True) into torch.nn.RNN, GRU or LSTM, as they are.

OUT is a second safetensors file, F32 or F64, that the Go side wrote:

    x      (T, B, X)        the input
    h0     (L*D, B, H)      the state at the start; optional, zeros without it
    c0     (L*D, B, H)      lstm only; optional
    y      (T, B, D*H)      what sluice computed; optional, then only shapes are printed
    state  (L*D, B, H)      h after the last step, as PyTorch orders it: layer 0
                            forward, layer 0 reverse, layer 1 forward, ...; optional
                            with a projection H is its width
    cell   (L*D, B, H)      c after the last step; lstm only, optional

Exit status 0: the model loaded and every expected tensor differs by at most
the tolerance, as max|a-b| / max|b|; for a reset-before GRU, which PyTorch does
not have: load_state_dict refused it, as it must. 1: it is not so. 2: the files
or the arguments are at fault.
"""
import argparse
import json
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file

PREFIX = "rnn."


def fault(text):
    print(f"check_model: {text}", file=sys.stderr)
    sys.exit(2)


def config_of(path):
    with safe_open(path, "pt") as f:
        metadata = f.metadata() or {}
    if "rnn" not in metadata:
        fault(f'{path}: no "rnn" in the metadata, which has {sorted(metadata)}')
    return json.loads(metadata["rnn"])


def module(config, bias):
    kinds = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
    if config["cell"] not in kinds:
        fault(f"cell {config['cell']!r}: PyTorch has rnn, gru and lstm")
    direction = config.get("direction") or "forward"
    if direction not in ("forward", "bidirectional"):
        fault(f"direction {direction!r}: PyTorch has forward and bidirectional")
    if direction == "bidirectional" and (config.get("merge") or "concat") != "concat":
        fault(f"merge {config['merge']!r}: PyTorch has concat")
    more = {}
    if config["cell"] == "rnn":
        more["nonlinearity"] = config.get("activation") or "tanh"
    if config["cell"] == "lstm":
        more["proj_size"] = config.get("projection", 0)
    return kinds[config["cell"]](
        config["input"], config["hidden"], num_layers=config["layers"], bias=bias,
        bidirectional=direction == "bidirectional", **more,
    )  # fmt: skip


def refused(net, tensors):
    """True if load_state_dict refuses the tensors; prints what it said."""
    try:
        net.load_state_dict(tensors, strict=True)
    except RuntimeError as err:
        print("load_state_dict(strict=True) refused:", str(err).splitlines()[0])
        for line in str(err).splitlines()[1:]:
            print("   ", line.strip()[:100])
        return True
    return False


def compare(name, got, want, tolerance):
    if tuple(got.shape) != tuple(want.shape):
        print(f"{name}: PyTorch has shape {tuple(got.shape)}, sluice {tuple(want.shape)}")
        return False
    diff = (got.double() - want.double()).abs().max().item()
    relative = diff / max(got.double().abs().max().item(), 1e-30)
    ok = relative <= tolerance  # false for NaN
    print(f"{name}: {tuple(got.shape)} largest difference {diff:.3g}, relative {relative:.3g} {'ok' if ok else 'TOO LARGE'}")
    return ok


def main():
    parser = argparse.ArgumentParser(description="Compare a sluice model with PyTorch.")
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--tolerance", type=float, default=1e-5, help="on max|a-b| / max|b| (default 1e-5)")
    args = parser.parse_args()

    config = config_of(args.model)
    tensors = {k.removeprefix(PREFIX): v for k, v in load_file(args.model).items() if k.startswith(PREFIX)}
    if not tensors:
        fault(f"{args.model}: no tensor starts with {PREFIX!r}")
    net = module(config, bias=any(".bias_" in "." + k for k in tensors))
    print(f"torch {torch.__version__}, {net}, {len(tensors)} tensors")

    if config["cell"] == "gru" and config.get("reset") == "before":
        if refused(net, tensors):
            # Only the names may be the reason: without their prefix the tensors must fit.
            bare = {k.removeprefix("reset_before."): v for k, v in tensors.items()}
            if len(bare) != len(tensors) or any(not k.startswith("reset_before.") for k in tensors) or refused(net, bare):
                print("but not, or not only, for its names rnn.reset_before.*")
                return 1
            print("a reset-before GRU does not load into torch.nn.GRU: as it must be")
            return 0
        print("a reset-before GRU LOADED into torch.nn.GRU, which computes another function")
        return 1
    if refused(net, tensors):
        return 1

    given = load_file(args.out)
    if "x" not in given:
        fault(f'{args.out}: no tensor "x", it has {sorted(given)}')
    dtype = given["x"].dtype
    net = net.to(dtype).eval()
    lstm = config["cell"] == "lstm"
    zeros = lambda width: torch.zeros(net.num_layers * (2 if net.bidirectional else 1), given["x"].shape[1], width, dtype=dtype)
    h0 = given.get("h0", zeros(net.proj_size or net.hidden_size))
    c0 = given.get("c0", zeros(net.hidden_size))
    with torch.no_grad():
        y, end = net(given["x"], (h0, c0) if lstm else h0)
    computed = {"y": y, "state": end[0] if lstm else end}
    if lstm:
        computed["cell"] = end[1]
    ok = True
    for name, got in computed.items():
        if name in given:
            ok = compare(name, got, given[name], args.tolerance) and ok
        else:
            print(f"{name}: {tuple(got.shape)} computed, nothing expected")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
