#!/usr/bin/env python3
"""Writes the golden files of convert/testdata/keras that Keras 3 makes.

    pip install -r convert/testdata/keras-requirements.txt
    KERAS_BACKEND=torch python convert/testdata/golden_keras.py convert/testdata/keras

Each model is a file as Keras writes it, but that a .keras is compressed in its zip,
to be small here. keras3.safetensors holds for each of them what it was given and
what it gave: NAME.x (T, B, F) or NAME.ids (T, B), NAME.lengths (B) where the model
masks, NAME.y (T, B, W) or (B, W). Its metadata have NAME, the file, and the
activation of the head. Every weight and input comes from the CRC-32 of the name.
"""
import json
import pathlib
import sys
import zipfile
import zlib

import keras
import numpy as np
from keras import layers as L
from safetensors.numpy import save_file

COMMAND = "KERAS_BACKEND=torch python convert/testdata/golden_keras.py convert/testdata/keras"
T, B, X, E, V, H, K = 6, 5, 3, 4, 11, 5, 2
LENGTHS = [6, 1, 4, 2, 5]

CELLS = {
    "rnn_tanh": (L.SimpleRNN, {}),
    "rnn_relu": (L.SimpleRNN, {"activation": "relu"}),
    "gru_after": (L.GRU, {}),
    "gru_before": (L.GRU, {"reset_after": False}),
    "lstm": (L.LSTM, {}),
}
MERGES = ["concat", "sum", "ave", "mul"]
POOLS = {"steps": None, "last": None, "mean": L.GlobalAveragePooling1D, "max": L.GlobalMaxPooling1D}


def stack(cell, count, merge, last, **more):
    """The recurrent layers; last: the last one gives its last output alone."""
    make, options = CELLS[cell]
    for i in range(count):
        layer = make(H, return_sequences=not (last and i == count - 1), **options, **more)
        yield L.Bidirectional(layer, merge_mode=merge) if merge else layer


def before(kind):
    """What stands before the recurrent layers."""
    return {
        "ids": lambda: [keras.Input((None,), dtype="int32"), L.Embedding(V, E)],
        "masked": lambda: [keras.Input((None,), dtype="int32"), L.Embedding(V, E, mask_zero=True)],
        "numbers": lambda: [keras.Input((None, X))],
        "masking": lambda: [keras.Input((None, X)), L.Masking(mask_value=-9.0)],
        "relu": lambda: [keras.Input((None, X)), L.Dense(E, activation="relu")],
    }[kind]()


def sequential(cell, count, merge, kind, pool, act, units=K, **more):
    layers = [*before(kind), *stack(cell, count, merge, pool == "last", **more)]
    if POOLS[pool]:
        layers.append(POOLS[pool]())
    if act:
        layers.append(L.Dense(units, activation=act))
    return keras.Sequential(layers)


def functional():
    """A chain with masks, dropout, a TimeDistributed and an activation of its own."""
    x = i = keras.Input((None,), dtype="int32")
    x = L.Embedding(V, E, mask_zero=True)(x)
    x = L.SpatialDropout1D(0.1)(x)
    x = L.Bidirectional(L.LSTM(H, return_sequences=True, dropout=0.2, recurrent_dropout=0.1))(x)
    x = L.Dropout(0.5)(x)
    x = L.GRU(H, return_sequences=True)(x)
    x = L.TimeDistributed(L.Dense(K))(x)
    return keras.Model(i, L.Activation("softmax")(x))


def masked_numbers():
    """A chain whose mask is that of Masking."""
    x = i = keras.Input((None, X))
    x = L.Masking(mask_value=-9.0)(x)
    x = L.GRU(H, return_sequences=True)(x)
    x = L.GlobalAveragePooling1D()(x)
    return keras.Model(i, L.Dense(K)(x))


def stateful():
    """One whose batches have a fixed size, and begin where the last one ended."""
    return keras.Sequential([keras.Input(batch_shape=(B, None, X)), L.GRU(H, stateful=True), L.Dense(K)])


def cases():
    """Name, model, kind of input, file, activation."""
    kinds, pools, n = ["masked", "numbers", "masking", "ids"], list(POOLS), 0
    for cell in CELLS:
        for count, merge in [(1, None), (2, None)] + [(1, m) for m in MERGES] + [(2, "concat")]:
            kind, pool = kinds[n % 4], pools[n // 3 % 4]
            if pool == "last" and merge not in (None, "concat"):
                pool = "mean"
            if pool == "max" and merge and kind.startswith("mask"):
                kind = "numbers"  # Keras' maximum is over zeros of what is masked, too
            act = ["softmax", "linear", None][n % 3]
            suffix = [".keras", ".h5"][n % 6 == 5]
            name = f"{cell}_{count}_{merge or 'forward'}_{kind}_{pool}"
            yield name, sequential(cell, count, merge, kind, pool, act), kind, name + suffix, act
            n += 1
    for cell in ["rnn_tanh", "gru_after", "gru_before", "lstm"]:
        name = f"{cell}_nobias"
        yield name, sequential(cell, 1, "concat", "numbers", "steps", None, use_bias=False), "numbers", name + ".keras", None
    for name, model, kind, suffix, act in [
        ("relu", sequential("gru_after", 2, None, "relu", "steps", "linear"), "relu", ".keras", "linear"),
        ("relu_h5", sequential("lstm", 1, "concat", "relu", "last", "softmax"), "relu", ".h5", "softmax"),
        ("backwards", sequential("gru_after", 1, None, "masked", "last", "linear", go_backwards=True), "masked", ".keras", "linear"),
        ("sigmoid", sequential("lstm", 1, None, "masked", "last", "sigmoid", units=1), "masked", ".keras", "sigmoid"),
        ("functional", functional(), "masked", ".keras", "softmax"),
        ("functional_h5", functional(), "masked", ".h5", "softmax"),
        ("masked_numbers", masked_numbers(), "masking", ".keras", "linear"),
        ("weights_gru", sequential("gru_before", 2, None, "ids", "steps", "linear"), "ids", ".weights.h5", "linear"),
        ("weights_bi", sequential("lstm", 2, "concat", "numbers", "mean", "linear"), "numbers", ".weights.h5", "linear"),
        ("weights_mixed", keras.Sequential([*before("ids"), L.LSTM(7, return_sequences=True), L.Bidirectional(L.GRU(H, return_sequences=True)), L.TimeDistributed(L.Dense(K))]), "ids", ".weights.h5", "linear"),
        ("weights_twelve", keras.Sequential([keras.Input((None, X)), *[L.SimpleRNN(4 + i, return_sequences=True) for i in range(12)]]), "numbers", ".weights.h5", None),
        ("stateful", stateful(), "numbers", ".keras", "linear"),
    ]:
        yield name, model, kind, name + suffix, act


def values(rng, model):
    """Weights that are not Keras': biases are not zeros, and nothing is alike."""
    model.set_weights([(rng.standard_normal(w.shape) * 0.5).astype(w.dtype) for w in model.get_weights()])


def given(rng, kind):
    """Input (B, T, …) and the lengths where it is masked, None where it is not."""
    if kind in ("ids", "masked"):
        x = rng.integers(1 if kind == "masked" else 0, V, (B, T)).astype(np.int32)
    else:
        x = rng.standard_normal((B, T, X)).astype(np.float32)
    if kind not in ("masked", "masking"):
        return x, None
    for row, n in enumerate(LENGTHS):
        x[row, n:] = 0 if kind == "masked" else -9
    return x, np.array(LENGTHS)


def save(model, path):
    if path.name.endswith(".weights.h5"):
        model.save_weights(path)
        return
    model.save(path)
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as z:
            members = {i.filename: z.read(i) for i in z.infolist()}
        members["metadata.json"] = json.dumps({"keras_version": keras.__version__}).encode()  # without a date
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
            for name, data in members.items():
                z.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def record(tensors, name, x, lengths, y):
    """Time first."""
    x = np.ascontiguousarray(np.swapaxes(x, 0, 1))
    tensors[f"{name}.{'x' if x.ndim == 3 else 'ids'}"] = x
    if lengths is not None:
        tensors[f"{name}.lengths"] = lengths
    tensors[f"{name}.y"] = np.ascontiguousarray(np.swapaxes(y, 0, 1) if y.ndim == 3 else y)


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    tensors, metadata = {}, {"command": COMMAND, "keras": keras.__version__}
    for name, model, kind, file, act in cases():
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        values(rng, model)
        x, lengths = given(rng, kind)
        save(model, out / file)
        record(tensors, name, x, lengths, model.predict(x, verbose=0))
        metadata[name] = f"{file} {act or 'none'}"
    with zipfile.ZipFile(out / "as_written.keras", "w") as z:  # not compressed
        with zipfile.ZipFile(out / "gru_after_1_forward_masking_steps.keras") as from_:
            for i in from_.infolist():
                z.writestr(zipfile.ZipInfo(i.filename), from_.read(i))
    save_file(tensors, out / "keras3.safetensors", metadata)


if __name__ == "__main__":
    main()
