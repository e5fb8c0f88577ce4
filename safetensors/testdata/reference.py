"""Golden files by the reference implementation of safetensors, and its reading
of ours. Made with Python 3.11.7, safetensors 0.5.3 and numpy 2.2.6:

    python reference.py make            writes the files beside this script
    go test -run TestGolden -keep DIR   writes the same tensors by our writer
    python reference.py check DIR       reads those by the reference
"""

import pathlib
import sys

import numpy as np
import safetensors
import safetensors.numpy

HERE = pathlib.Path(__file__).parent

# name of the dtype in the library's calls: bytes of an element
SIZES = {
    "bool": 1, "uint8": 1, "int8": 1, "float8_e5m2": 1, "float8_e4m3fn": 1,
    "int16": 2, "uint16": 2, "float16": 2, "bfloat16": 2,
    "int32": 4, "uint32": 4, "float32": 4, "float64": 8, "int64": 8, "uint64": 8,
}


def numbers():
    """The four types that have Go slices, a scalar, an empty tensor and names to escape."""
    return {
        "rnn.weight_ih_l0": np.arange(6, dtype=np.float32).reshape(2, 3) / 4 - 0.5,
        "edge": np.array([0.0, -0.0, np.inf, -np.inf, 1.1754944e-38, 1e-45, 3.4028235e38], np.float32),
        "double": np.array([np.pi, -0.0, 5e-324, np.inf], np.float64),
        "ids": np.array([[-1, 2**31 - 1], [0, -(2**31)]], np.int32),
        "steps": np.array([-1, 2**63 - 1, -(2**63)], np.int64),
        "scalar": np.array(0.25, np.float32),
        "empty": np.zeros((3, 0), np.float32),
        'quote " slash / back \\ tab \t line \n nul \0 del \x7f ü 😀 \u2028': np.array([7], np.int64),
    }


def every_dtype():
    """Two elements of each dtype, as bytes that count up from 1; 0 and 1 for bool."""
    out = {}
    for dtype, size in SIZES.items():
        data = bytes([0, 1]) if dtype == "bool" else bytes(range(1, 2 * size + 1))
        out["t." + dtype] = {"dtype": dtype, "shape": [2], "data": data}
    return out


METADATA = {"b": "2", "a": "1", "ü\n": "\"\\\u0001", "": ""}


def make():
    one = {"config": '{"cell":"gru"}\n'}
    safetensors.numpy.save_file(numbers(), HERE / "numbers.safetensors", metadata=one)
    safetensors.serialize_file(every_dtype(), HERE / "dtypes.safetensors", None)
    # The order of several keys of metadata changes from run to run.
    safetensors.numpy.save_file({"x": np.zeros(1, np.float32)}, HERE / "metadata.safetensors", metadata=METADATA)
    safetensors.numpy.save_file({}, HERE / "empty.safetensors")


def check(folder):
    folder = pathlib.Path(folder)
    with safetensors.safe_open(folder / "numbers.safetensors", "numpy") as f:
        assert f.metadata() == {"config": '{"cell":"gru"}\n'}, f.metadata()
        want = numbers()
        assert set(f.keys()) == set(want), f.keys()
        for name, x in want.items():
            got = f.get_tensor(name)
            assert got.dtype == x.dtype and got.shape == x.shape, name
            assert got.tobytes() == x.tobytes(), name
    want = every_dtype()
    got = dict(safetensors.deserialize((folder / "dtypes.safetensors").read_bytes()))
    assert set(got) == set(want)
    for name, t in want.items():
        assert bytes(got[name]["data"]) == t["data"] and got[name]["shape"] == t["shape"], name
    with safetensors.safe_open(folder / "metadata.safetensors", "numpy") as f:
        assert f.metadata() == METADATA, f.metadata()
    assert safetensors.numpy.load_file(folder / "empty.safetensors") == {}
    print("the reference reads all four files as they were written")


if __name__ == "__main__":
    make() if sys.argv[1] == "make" else check(sys.argv[2])
