"""Writes the ONNX project's own tests of the operators RNN, GRU and LSTM into a
folder, as that project lays them out: NAME/model.onnx and NAME/test_data_set_0 with
input_N.pb and output_N.pb. They are inside of its Python package, as code:

    pip install onnx==1.23.2
    python convert/testdata/onnx_nodes.py DIR
    SLUICE_ONNX_NODES=DIR go test -run ONNXNodes ./convert
"""
import os
import sys

from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

if len(sys.argv) != 2:
    sys.exit(__doc__)
cases = collect_testcases()
wanted = [c for c in cases if c.model.graph.node[0].op_type in ("RNN", "GRU", "LSTM")]
for case in wanted:
    folder = os.path.join(sys.argv[1], case.name)
    for number, (inputs, outputs) in enumerate(case.data_sets):
        data = os.path.join(folder, f"test_data_set_{number}")
        os.makedirs(data, exist_ok=True)
        for what, arrays in (("input", inputs), ("output", outputs)):
            for i, a in enumerate(arrays):
                with open(os.path.join(data, f"{what}_{i}.pb"), "wb") as f:
                    f.write(numpy_helper.from_array(a).SerializeToString())
    with open(os.path.join(folder, "model.onnx"), "wb") as f:
        f.write(case.model.SerializeToString())
print(len(wanted), "tests")
