#!/usr/bin/env python3
"""Writes the golden files of convert/testdata/keras that Keras 2 makes.

    pip install tensorflow-cpu==2.15.1 safetensors==0.4.5
    python convert/testdata/golden_keras2.py convert/testdata/keras

keras2.safetensors is as keras3.safetensors: see golden_keras.py.
"""
import json
import pathlib
import sys
import zipfile
import zlib

import keras
import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file
from tensorflow.keras import layers as L

VERSION = keras.__version__
COMMAND = "python convert/testdata/golden_keras2.py convert/testdata/keras"
T, B, X, E, V, H, K = 6, 5, 3, 4, 11, 5, 2
LENGTHS = [6, 1, 4, 2, 5]


def cases():
    """Name, model, file, activation."""
    ids = lambda mask: [tf.keras.Input((None,), dtype="int32"), L.Embedding(V, E, mask_zero=mask)]
    numbers = [tf.keras.Input((None, X))]
    yield "k2_gru", tf.keras.Sequential([*ids(True), L.GRU(H, return_sequences=True), L.GRU(H), L.Dense(K, activation="softmax")]), "k2_gru.h5", "softmax"
    yield "k2_bi", tf.keras.Sequential([*numbers, L.Bidirectional(L.LSTM(H, return_sequences=True), merge_mode="sum"), L.GlobalAveragePooling1D(), L.Dense(K)]), "k2_bi.h5", "linear"
    yield "k2_keras", tf.keras.Sequential([*numbers, L.Bidirectional(L.GRU(H, reset_after=False)), L.Dense(K)]), "k2_keras.keras", "linear"
    yield "k2_hard", tf.keras.Sequential([*numbers, L.LSTM(H, recurrent_activation="hard_sigmoid", return_sequences=True)]), "k2_hard.h5", "none"
    x = i = tf.keras.Input((None,), dtype="int32")
    x = L.Embedding(V, E, mask_zero=True)(x)
    x = L.Dropout(0.5)(x)
    x = L.Bidirectional(L.GRU(H, return_sequences=True, dropout=0.1), name="both_ways")(x)
    x = L.TimeDistributed(L.Dense(K, activation="softmax"))(x)
    yield "k2_functional", tf.keras.Model(i, x), "k2_functional.h5", "softmax"
    yield "k2_weights", tf.keras.Sequential([*ids(False), L.SimpleRNN(H, return_sequences=True), L.Bidirectional(L.GRU(H, return_sequences=True)), L.LSTM(H, return_sequences=True), L.Dense(K)]), "k2_weights.h5", "linear"


def main():
    out = pathlib.Path(sys.argv[1])
    tensors, metadata = {}, {"command": COMMAND, "keras": VERSION}
    for name, model, file, act in cases():
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        model.set_weights([(rng.standard_normal(w.shape) * 0.5).astype(w.dtype) for w in model.get_weights()])
        ids = model.input_shape[-1] != X
        x = rng.integers(1, V, (B, T)).astype(np.int32) if ids else rng.standard_normal((B, T, X)).astype(np.float32)
        if ids and model.layers[0].get_config().get("mask_zero") or name == "k2_functional":
            for row, n in enumerate(LENGTHS):
                x[row, n:] = 0
            tensors[f"{name}.lengths"] = np.array(LENGTHS)
        y = model.predict(x, verbose=0)
        (model.save_weights if name == "k2_weights" else model.save)(out / file)
        if file.endswith(".keras"):
            pack(out / file)
        tensors[f"{name}.{'ids' if ids else 'x'}"] = np.ascontiguousarray(np.swapaxes(x, 0, 1))
        tensors[f"{name}.y"] = np.ascontiguousarray(np.swapaxes(y, 0, 1) if y.ndim == 3 else y)
        metadata[name] = f"{file} {act}"
    save_file(tensors, out / "keras2.safetensors", metadata)


def pack(path):
    """Compresses a .keras and takes its date out."""
    with zipfile.ZipFile(path) as z:
        members = {i.filename: z.read(i) for i in z.infolist()}
    members["metadata.json"] = json.dumps({"keras_version": VERSION}).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        for name, data in members.items():
            z.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()
