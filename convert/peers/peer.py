"""Runs models in the runtime they are made for, for `sluice verify`.

Each line of standard input is a job, JSON: "kind" (pytorch, onnx, keras), "file",
"inputs" and "outputs", two .npz files, the second of which this writes, and what
the kind needs. Each line of standard output is its answer: "runtime", the name and
version of what ran it, or "error".
"""
import json
import re
import sys

import numpy as np

cache = {}


def once(key, make):
    """What make gives for a job's file, kept while the same file is asked for."""
    if key not in cache:
        cache.clear()
        cache[key] = make()
    return cache[key]


def run_onnx(job, inputs):
    import onnxruntime

    def session():
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(job["file"], options, providers=["CPUExecutionProvider"])

    s = once(job["file"], session)
    names = [o.name for o in s.get_outputs()]
    return f"ONNX Runtime {onnxruntime.__version__}", dict(zip(names, s.run(names, inputs)))


def torch_model(job):
    import torch

    torch.set_num_threads(1)
    space = {}
    exec(job["code"], space)  # the code that Sluice has written for its own model
    model = space["Model"]().double()
    if job["safe"]:
        from safetensors.torch import load_file

        tensors = load_file(job["file"])
    else:
        tensors = torch.load(job["file"], map_location="cpu", weights_only=True)
    flat = {}

    def flatten(prefix, value):
        if isinstance(value, torch.Tensor):
            flat[prefix[:-1]] = value.double()
        elif isinstance(value, dict):
            for key, v in value.items():
                flatten(f"{prefix}{key}.", v)

    flatten("", tensors)
    state = {ours: flat[theirs] if theirs else torch.zeros(0) for ours, theirs in job["names"].items()}
    for name, p in model.state_dict().items():
        if name in state and not state[name].numel():
            state[name] = torch.zeros_like(p)
    model.load_state_dict(state)
    return model.eval()


def run_pytorch(job, inputs):
    import torch

    model = once((job["file"], job["code"]), lambda: torch_model(job))
    tensors = {}
    for name, value in inputs.items():
        t = torch.from_numpy(value)
        tensors[name] = t.double() if t.is_floating_point() else t.long()
    targets = tensors.pop("targets", None)
    h, c = tensors.pop("h_0", None), tensors.pop("c_0", None)
    if h is not None:
        tensors["state"] = h if c is None else (h, c)
    model.zero_grad()
    out = model(**tensors)
    result = {}
    if isinstance(out, tuple) and job["task"] != "forecast":
        out, state = out
        result["h_n"], *rest = state if isinstance(state, tuple) else (state,)
        if rest:
            result["c_n"] = rest[0]
    elif isinstance(out, tuple):
        out, result["quantiles"] = out
    result[job["output"]] = out
    if targets is not None:
        if targets.is_floating_point():
            loss = torch.nn.functional.mse_loss(out, targets)
        else:
            loss = torch.nn.functional.cross_entropy(out.reshape(-1, out.shape[-1]), targets.reshape(-1), ignore_index=-1)
        loss.backward()
        for name, p in model.named_parameters():
            result["gradient." + name] = p.grad if p.grad is not None else torch.zeros_like(p)
    return f"PyTorch {torch.__version__.split('+')[0]}, float64", {name: t.detach().numpy() for name, t in result.items()}


def run_keras(job, inputs):
    import os

    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    model = once(job["file"], lambda: keras.saving.load_model(job["file"], compile=False))
    for layer in model.layers:
        if getattr(layer, "stateful", False):
            layer.reset_states()
    x = inputs.get("ids", inputs.get("x"))
    out = keras.ops.convert_to_numpy(model(np.swapaxes(x, 0, 1), training=False))
    if job["steps"]:
        out = np.swapaxes(out, 0, 1)
    return f"Keras {keras.__version__}", {job["output"]: out}


def telling(err):
    """One line of an error, without colours or the arguments that Keras lists."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(err)).split("Arguments received by")[0]
    return f"{type(err).__name__}: {' '.join(text.split())}"


def main():
    kinds = {"onnx": run_onnx, "pytorch": run_pytorch, "keras": run_keras}
    for line in sys.stdin:
        try:
            job = json.loads(line)
            with np.load(job["inputs"]) as f:
                inputs = {name: f[name] for name in f.files}
            runtime, outputs = kinds[job["kind"]](job, inputs)
            arrays = {name: v.astype(np.float32) if v.dtype.kind == "f" else v for name, v in outputs.items()}
            np.savez(job["outputs"], **{name: np.ascontiguousarray(v) for name, v in arrays.items()})
            answer = {"runtime": runtime}
        except Exception as err:
            answer = {"error": telling(err)}
        print(json.dumps(answer), flush=True)


main()
