"""Golden files by torch.save, and what torch reads from them in golden.json: for
each file its tensors by name, with dtype, shape and the bits of their float32
values. Made with Python 3.11.7, torch 2.15.0 and numpy 2.4.6 by

    python golden.py

which writes the files beside this script. The keys of the legacy files' storages
and the ids of the archives change from run to run.
"""

import collections
import io
import json
import pathlib
import zipfile

import numpy as np
import torch

HERE = pathlib.Path(__file__).parent
FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
LEGACY = {"_use_new_zipfile_serialization": False}

# dtype: bytes that are swapped as one; the others are not read as numbers
SWAPPED = {torch.float32: "u4", torch.float64: "u8", torch.float16: "u2", torch.bfloat16: "u2"}


def lstm():
    torch.manual_seed(1)
    return torch.nn.LSTM(2, 3)


def checkpoint():
    """What trainers save, with values that are no tensors."""
    torch.manual_seed(2)
    net = torch.nn.Sequential(collections.OrderedDict(rnn=torch.nn.RNN(1, 2), head=torch.nn.Linear(2, 2)))
    net.head.weight = net.rnn.weight_hh_l0  # tied
    optimizer = torch.optim.Adam(net.parameters(), lr=0.25)
    for p in net.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    return {
        "epoch": 3,
        "state_dict": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "milestones": collections.Counter([2, 3]),
        "loss": np.float64(0.5),
        "count": np.int64(7),
        "history": np.arange(3),
        "values": [None, True, -1, 1 << 40, -(1 << 80), 0.1, "text", b"bytes", {1, 2}, 1j, bytearray(b"x")],
        "torch": (torch.Size([2, 3]), torch.device("cpu"), torch.float16),
        (1, 2): {2.5: torch.tensor([2.0])},
        "list": [torch.tensor(1.0), (torch.tensor([2.0, 3.0]), "x")],
        "parameter": torch.nn.Parameter(torch.tensor([4.0]), requires_grad=False),
    }


def views():
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    tied = torch.tensor([1.0, 2.0, 3.0])
    return {
        "scalar": torch.tensor(-0.5),
        "empty": torch.zeros(3, 0),
        "base": base,
        "transposed": base.permute(2, 0, 1),
        "slice": base[1],
        "column": base[:, 1:, 2],
        "steps": base.flatten()[1::5],
        "matrix": torch.arange(6, dtype=torch.float64).reshape(2, 3).t(),
        "a": tied,
        "b": tied,
        "part": tied[:2],
        "one": torch.arange(4.0)[2:3].expand(1, 1),
        "expanded": torch.tensor([5.0]).expand(3),
        "window": torch.as_strided(torch.arange(6.0), (2, 3), (1, 1), 1),
    }


def dtypes():
    inf, nan = float("inf"), float("nan")
    edge = [0.0, -0.0, 1.0, -2.5, inf, -inf, nan]
    d = {
        "float32": torch.tensor(edge + [1e-45, 3.4028235e38, 0.1], dtype=torch.float32),
        "float16": torch.tensor(edge + [2**-24, 1023 * 2**-24, 2**-14, 65504.0, 0.1], dtype=torch.float16),
        "bfloat16": torch.tensor(edge + [1e-40, 3.3895314e38, 0.1], dtype=torch.bfloat16),
        "float64": torch.tensor(edge + [2**-149, 1 + 2**-23], dtype=torch.float64),
        "lossy": torch.tensor([0.5, 1 + 2**-24], dtype=torch.float64),
        "large": torch.tensor([[0.5, 0.5], [0.5, 1e300]], dtype=torch.float64).t(),
        "complex64": torch.tensor([1 + 2j]),
        "complex128": torch.tensor([1 + 2j], dtype=torch.complex128),
    }
    for name in "int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool".split():
        d[name] = torch.tensor([0, 1, 1], dtype=getattr(torch, name))
    for name in "float8_e5m2 float8_e4m3fn float8_e5m2fnuz float8_e4m3fnuz float8_e8m0fnu".split():
        d[name] = torch.tensor([1.0, 2.0]).to(getattr(torch, name))
    return d


class Python2:
    """An OrderedDict as Python 2 pickles it."""

    def __reduce__(self):
        return collections.OrderedDict, ([["w", torch.tensor([1.0, 2.0])], ["b", torch.tensor([3.0])]],)


def rezip(data, change, compression=zipfile.ZIP_STORED):
    """The archive with other bytes: change(name, bytes)."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", compression) as new:
        for name in old.namelist():
            b = change(name, old.read(name))
            if b is not None:
                new.writestr(zipfile.ZipInfo(name), b, compression)
    return out.getvalue()


def big_endian(obj, data):
    """The archive as a machine of the other byte order writes it."""
    storages = {t.data_ptr(): t for t in obj.values()}
    swapped = {}
    for t in storages.values():
        raw = bytes(t.untyped_storage())
        swapped[raw] = np.frombuffer(raw, SWAPPED[t.dtype]).byteswap().tobytes()
    change = lambda name, b: b"big" if name.endswith("/byteorder") else swapped[b] if "/data/" in name else b
    return rezip(data, change)


def flat(value, path, out):
    """The tensors of a value by name, as package torchfile names them."""
    if isinstance(value, torch.Tensor):
        out[".".join(path)] = value
    elif isinstance(value, dict):
        for i, (k, v) in enumerate(value.items()):
            flat(v, path + [str(k) if type(k) in (str, int) else f"<{i}>"], out)
    elif isinstance(value, (list, tuple)):
        for i, v in enumerate(value):
            flat(v, path + [str(i)], out)
    return out


def bits(t):
    """The bits of the values in float32; None where package torchfile refuses."""
    if t.dtype not in FLOATS or t.numel() * t.element_size() > t.untyped_storage().nbytes():
        return None
    x = t.detach().contiguous().float()
    if t.dtype == torch.float64 and not torch.equal(torch.nan_to_num(x.double()), torch.nan_to_num(t)):
        return None
    return x.reshape(-1).view(torch.int32).tolist()


def saved(obj, **options):
    out = io.BytesIO()
    torch.save(obj, out, **options)
    return out.getvalue()


def main():
    numbers = {k: v for k, v in dtypes().items() if v.dtype in SWAPPED and k != "large"}
    files = {
        "lstm.pt": saved(lstm().state_dict()),
        "lstm_legacy.pt": saved(lstm().state_dict(), **LEGACY),
        "checkpoint.pt": saved(checkpoint()),
        "checkpoint_legacy.pt": saved(checkpoint(), **LEGACY),
        "views.pt": saved(views()),
        "views_legacy.pt": saved(views(), **LEGACY),
        "dtypes.pt": saved(dtypes()),
        "big_endian.pt": big_endian(numbers, saved(numbers)),
        "deflated.pt": rezip(saved(lstm().state_dict()), lambda name, b: b, zipfile.ZIP_DEFLATED),
        "old.pt": rezip(saved(lstm().state_dict()), lambda name, b: b if "/data" in name or name.endswith("version") else None),
        "python2.pt": saved(Python2()),
        "tensor.pt": saved(torch.tensor([[1.0, 2.0]])),
    }
    torch.serialization.set_crc32_options(False)
    files["unchecked.pt"] = saved(lstm().state_dict())
    torch.serialization.set_crc32_options(True)
    golden = {}
    for name, data in files.items():
        (HERE / name).write_bytes(data)
        tensors = flat(torch.load(io.BytesIO(data), weights_only=False), [], {})
        golden[name] = [
            {"name": n, "dtype": str(t.dtype).removeprefix("torch."), "shape": list(t.shape), "bits": bits(t)}
            for n, t in tensors.items()
        ]
    with open(HERE / "golden.json", "w") as f:
        rows = [f'"{k}": [\n' + ",\n".join(json.dumps(t) for t in v) + "\n]" for k, v in golden.items()]
        f.write("{" + ",\n".join(rows) + "}\n")

    # What is refused.
    (HERE / "module.pt").write_bytes(saved(torch.nn.Linear(1, 1)))
    (HERE / "protocol4.pt").write_bytes(saved({"w": torch.ones(1)}, pickle_protocol=4))
    (HERE / "negative.pt").write_bytes(saved({"w": torch.tensor([1 + 2j]).conj().imag}))
    (HERE / "quantized.pt").write_bytes(saved({"w": torch.quantize_per_tensor(torch.ones(1), 0.5, 0, torch.qint8)}))


main()
