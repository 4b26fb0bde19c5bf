"""Float32 model for ONNX Runtime, by optimum-onnx at level O2, with the logits of the last position only.

    to_onnx.py WEIGHTS OUT

The export computes the logits of all positions; picking the last one's hidden state in front of the last product
is the faster of the two.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from optimum.exporters.onnx import main_export


def keep_last_position(model: onnx.ModelProto) -> None:
    """Picks the last row of the input of the product that makes the logits, of shape (batch, positions, channels)."""
    graph = model.graph
    maker = {output: node for node in graph.node for output in node.output}
    product = maker["logits"]
    while product.op_type != "MatMul":
        product = maker[product.input[0]]
    graph.initializer.append(onnx.numpy_helper.from_array(np.array([-1], np.int64), "last_position"))
    pick = onnx.helper.make_node("Gather", [product.input[0], "last_position"], ["last_hidden"], axis=1)
    product.input[0] = "last_hidden"
    graph.node.insert(list(graph.node).index(product), pick)
    [logits] = [output for output in graph.output if output.name == "logits"]
    logits.type.tensor_type.shape.dim[1].dim_value = 1
    del graph.value_info[:]


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    weights, out = sys.argv[1:]
    with tempfile.TemporaryDirectory(dir=out) as folder:
        main_export(weights, folder, task="text-generation-with-past", optimize="O2", do_validation=False)
        model = onnx.load(Path(folder) / "model.onnx")
        keep_last_position(model)
        onnx.save(model, Path(out) / "model.onnx")


if __name__ == "__main__":
    main()
