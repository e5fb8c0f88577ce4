#!/usr/bin/env python3
"""Writes the HDF5 files that the tests of this folder read.

    pip install h5py==3.16.0 numpy==2.4.6
    python convert/internal/hdf5/testdata/golden.py convert/internal/hdf5/testdata

Element i of each dataset, row-major, is (i - 50) / 8, unless its name says else.
"""
import gzip
import io
import pathlib
import sys

import h5py
import numpy as np

out = pathlib.Path(sys.argv[1])
a = ((np.arange(7 * 5 * 3) - 50) / 8).reshape(7, 5, 3)
a4 = a.astype("<f4")

with h5py.File(out / "kinds.h5", "w") as f:
    f.create_dataset("little", data=a4)
    f.create_dataset("big", data=a.astype(">f4"))
    f.create_dataset("double", data=a)
    f.create_dataset("half", data=a.astype("<f2"))
    f.create_dataset("vector", data=a4[0, 0])
    f.create_dataset("scalar", data=np.float32(-6.25))
    f.create_dataset("none", data=np.zeros((0, 3), "<f4"))
    f.create_dataset("inexact", data=np.array([0.5, 0.1]))
    f.create_dataset("integers", data=np.arange(3))
    f.create_dataset("unwritten", (3,), "<f4")
    f["extremes"] = np.array([0, -0.0, 5.960464477539063e-08, 6.1035e-05, 65504, np.inf, -np.inf, 1, -2, 0.333251953125], "<f2")
    f.attrs["variable"] = "héllo"
    f.attrs["fixed"] = np.array([b"ab", b"cde"])
    f.attrs["list"] = ["x", "", "yy"]
    f.attrs["nothing"] = np.zeros(0)
    f.attrs["number"] = 3

with h5py.File(out / "chunks.h5", "w") as f:
    f.create_dataset("plain", data=a4, chunks=(4, 5, 1))
    f.create_dataset("gzip", data=a4, chunks=(3, 2, 2), compression="gzip")
    f.create_dataset("shuffled", data=a4, chunks=(3, 2, 2), compression="gzip", shuffle=True)
    f.create_dataset("doubles", data=a, chunks=(2, 5, 3), shuffle=True)
    f.create_dataset("fletcher", data=a4, chunks=(7, 5, 3), fletcher32=True)
    few = f.create_dataset("few", (8,), "<f4", chunks=(4,))
    few[:2] = 1

with h5py.File(out / "small.h5", "w") as f:
    f.create_dataset("g/x", data=a4[0, 0])
    f["g"].attrs["names"] = ["x"]

many = io.BytesIO()  # a tree of two levels; it is large for what it has, so it is compressed
with h5py.File(many, "w") as f:
    for i in range(300):
        f.create_dataset(f"g/{i:03}", (), "<f4")
(out / "many.h5.gz").write_bytes(gzip.compress(many.getvalue(), 9, mtime=0))

with h5py.File(out / "twice.h5", "w") as f:
    f["x"] = a4
    f["y"] = f["x"]
with h5py.File(out / "link.h5", "w") as f:
    f["x"] = h5py.SoftLink("/y")
with h5py.File(out / "circle.h5", "w") as f:
    f.create_group("a")["b"] = f["/"]
with h5py.File(out / "latest.h5", "w", libver="latest") as f:
    f["x"] = a4
with h5py.File(out / "order.h5", "w") as f:
    f.create_group("g", track_order=True)["x"] = a4
with h5py.File(out / "block.h5", "w", userblock_size=512) as f:
    f["x"] = a4
with h5py.File(out / "deep.h5", "w") as f:
    f.create_group("/".join("g" * 33))
with h5py.File(out / "zeros.h5", "w") as f:
    f.create_dataset("x", data=np.zeros((4096, 1024), "<f4"), chunks=(4096, 1024), compression="gzip")
