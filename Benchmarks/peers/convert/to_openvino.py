"""Float32 model for OpenVINO, by optimum-intel, with the logits of the last position only.

    to_openvino.py WEIGHTS OUT

The export computes the logits of all positions. Slicing the hidden state in front of the last product is what
openvino-genai does too, and the faster of the two.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import openvino
import openvino.opset13 as operations
from optimum.exporters.openvino import main_export


def keep_last_position(model: openvino.Model) -> None:
    """Slices the input of the product that makes the logits, of shape (batch, positions, channels)."""
    node = model.output("logits").node
    while node.get_type_name() != "MatMul":
        node = node.input_value(0).get_node()
    last, end, step, axis = (np.array([value], np.int64) for value in (-1, 2**31 - 1, 1, 1))
    hidden = operations.slice(node.input_value(0), last, end, step, axis)
    node.input(0).replace_source_output(hidden.output(0))
    model.validate_nodes_and_infer_types()


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    weights, out = sys.argv[1:]
    with tempfile.TemporaryDirectory(dir=out) as folder:
        main_export(weights, folder, task="text-generation-with-past", stateful=True, convert_tokenizer=False)
        model = openvino.Core().read_model(Path(folder) / "openvino_model.xml")
        keep_last_position(model)
        openvino.save_model(model, Path(out) / "model.xml", compress_to_fp16=False)


if __name__ == "__main__":
    main()
