"""Writes what the tests read, with NumPy 2.4.6 (see requirements.txt).

    python reference.py             writes kinds.npz, packed.npz and objects.npz beside it
    python reference.py check FILE  reads what TestWrite wrote (go test ./internal/npz -keep FILE)
"""

import pathlib
import sys

import numpy as np

here = pathlib.Path(__file__).parent
count = np.arange(24)
kinds = {
    "scalar": np.float32(0.25),
    "empty": np.zeros((3, 0), np.float64),
    "half": np.array([0, -0.0, 1, -2, 65504, 6e-8, 6.1e-5, np.inf, -np.inf], np.float16),
    "float": np.array([0, -0.0, 1e-45, 3.4028235e38, -np.inf], np.float32),
    "double": np.array([np.pi, -0.0, 5e-324, 1.7976931348623157e308]),
    "big": np.array([1.5, -2.5], ">f4"),
    "fortran": np.asfortranarray(count.reshape(2, 3, 4).astype(np.int16)),
    "fortran double": np.asfortranarray(count.reshape(4, 6) / 8),
    "bool": np.array([[True, False]]),
    "int8": np.array([-128, 127], np.int8),
    "uint8": np.array([0, 255], np.uint8),
    "uint16": np.array([65535], ">u2"),
    "int32": np.array([-(2**31), 2**31 - 1], np.int32),
    "uint32": np.array([2**32 - 1], np.uint32),
    "int64": np.array([-(2**63), 2**63 - 1]),
    "uint64": np.array([2**63 - 1], np.uint64),
    "text": np.array(["", "a", "夜 😀"]),
    "bytes": np.array([b"ab", b"", "ü".encode()]),
}

if len(sys.argv) == 3:
    ours = np.load(sys.argv[2])
    want = {"x": count.reshape(2, 3, 4).astype(np.float32), "y": np.array([1, -2]), "z": np.int32(7), "ü 1": np.zeros((0, 5))}
    assert list(ours) == list(want), list(ours)
    for name, a in want.items():
        assert ours[name].dtype == a.dtype and ours[name].shape == a.shape and (ours[name] == a).all(), name
    print("equal")
else:
    np.savez(here / "kinds.npz", **kinds)
    np.savez_compressed(here / "packed.npz", zeros=np.zeros(1000, np.float32))
    np.savez(here / "objects.npz", x=np.array([1, "a", None], object))
