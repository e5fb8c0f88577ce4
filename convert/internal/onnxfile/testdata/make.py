"""Makes tensors.onnx and external.onnx with external.data beside it:

    pip install onnx==1.23.2 numpy==2.4.6
    python convert/internal/onnxfile/testdata/make.py

The values are in read_test.go. Each type stands raw and, where ONNX has it, in
the field for its type.
"""
import os

import numpy as np
import onnx
from onnx import TensorProto as T, helper

here = os.path.dirname(os.path.abspath(__file__))
floats = [0.0, -1.5, 65504.0, 2.0**-24, float("inf")]
halves = [0.0, -1.5, 65504.0, 2.0**-24, 2.0**-14]
whole = {
    T.INT8: [-128, 127, 3], T.UINT8: [0, 255, 3], T.INT16: [-32768, 32767, 3], T.UINT16: [0, 65535, 3],
    T.INT32: [-(2**31), 2**31 - 1, 3], T.UINT32: [0, 2**32 - 1, 3], T.INT64: [-(2**63), 2**63 - 1, 3],
    T.UINT64: [0, 2**63 - 1, 3], T.BOOL: [0, 1, 1],
}
numpys = {
    T.INT8: np.int8, T.UINT8: np.uint8, T.INT16: np.int16, T.UINT16: np.uint16, T.INT32: np.int32, T.UINT32: np.uint32,
    T.INT64: np.int64, T.UINT64: np.uint64, T.BOOL: np.bool_, T.FLOAT: np.float32, T.DOUBLE: np.float64, T.FLOAT16: np.float16,
}


def both(t, values, out):
    name = T.DataType.Name(t)
    out.append(helper.make_tensor(name, t, [len(values)], values))
    raw = np.array(values, dtype=numpys[t]).tobytes()
    out.append(helper.make_tensor(name + "_raw", t, [len(values)], raw, raw=True))


def model(nodes, tensors):
    x = helper.make_tensor_value_info("x", T.FLOAT, ["time", None, 4])
    y = helper.make_tensor_value_info("y", T.FLOAT, None)
    graph = helper.make_graph(nodes, "g", [x], [y], tensors)
    m = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10, producer_name="make.py", producer_version="1")
    helper.set_model_props(m, {"key": "value"})
    return m


tensors = []
both(T.FLOAT, floats, tensors)
both(T.DOUBLE, floats, tensors)
both(T.FLOAT16, halves, tensors)
tensors.append(helper.make_tensor("BFLOAT16_raw", T.BFLOAT16, [2], bytes([0x80, 0x3F, 0x40, 0xC0]), raw=True))
for t, values in whole.items():
    both(t, values, tensors)
tensors.append(helper.make_tensor("scalar", T.FLOAT, [], [7.0]))
tensors.append(helper.make_tensor("empty", T.FLOAT, [2, 0], []))
tensors.append(helper.make_tensor("words", T.STRING, [1], [b"unused"]))
node = helper.make_node(
    "LSTM", ["x", "", "scalar"], ["y", "", "c"], name="cell", clip=3.5, hidden_size=4, direction="reverse",
    activations=["Tanh", "Relu"], activation_alpha=[0.5, 0.25], axes=[1, -1], value=tensors[0],
)
onnx.save(model([node], tensors), os.path.join(here, "tensors.onnx"))

w = helper.make_tensor("w", T.FLOAT, [2, 3], np.arange(6, dtype=np.float32).tobytes(), raw=True)
i = helper.make_tensor("i", T.INT64, [2], np.array([5, -6], dtype=np.int64).tobytes(), raw=True)
m = model([helper.make_node("Identity", ["x"], ["y"])], [w, i])
onnx.save(m, os.path.join(here, "external.onnx"), save_as_external_data=True, location="external.data", size_threshold=0)
