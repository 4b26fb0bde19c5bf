"""Fewer bits for a model that an engine has in float32, by the tools that its users would take.

    quantize.py ENGINE FOLDER OUT

FOLDER has the float32 model: for pytorch as `gpt2-bench export` wrote it, for the others as to_onnx.py or
to_openvino.py did. OUT gets the engine's int8, pytorch's bf16.
"""

import sys
from pathlib import Path


def onnxruntime(folder: Path, out: Path) -> None:
    """Dynamic quantization: a scale for each output channel of a matrix; activations are quantized as they come."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # Shape inference cannot type every tensor that level O2 fused; all those are float32.
    options = {"DefaultTensorType": onnx.TensorProto.FLOAT}
    quantize_dynamic(
        folder / "model.onnx", out / "model.onnx", weight_type=QuantType.QInt8, per_channel=True,
        extra_options=options)


def openvino(folder: Path, out: Path) -> None:
    """Weight compression by NNCF, as `optimum-cli export openvino --weight-format int8` does it: a scale and a zero
    point for each output channel, the embedding included."""
    import nncf
    import openvino

    model = openvino.Core().read_model(folder / "model.xml")
    compressed = nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_ASYM)
    openvino.save_model(compressed, out / "model.xml", compress_to_fp16=False)


def pytorch(folder: Path, out: Path) -> None:
    """Every tensor in bf16, so that loading holds no float32."""
    import torch
    from transformers import GPT2LMHeadModel

    GPT2LMHeadModel.from_pretrained(folder, dtype=torch.bfloat16).save_pretrained(out)


ENGINES = {engine.__name__: engine for engine in (onnxruntime, openvino, pytorch)}


def main() -> None:
    if len(sys.argv) != 4 or sys.argv[1] not in ENGINES:
        sys.exit(__doc__)
    ENGINES[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))


if __name__ == "__main__":
    main()
