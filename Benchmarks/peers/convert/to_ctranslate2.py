"""A model for CTranslate2, by its own converter.    to_ctranslate2.py float32|int8 WEIGHTS OUT"""

import sys

from ctranslate2.converters import TransformersConverter


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    quantization, weights, out = sys.argv[1:]
    TransformersConverter(weights).convert(out, quantization=quantization, force=True)


if __name__ == "__main__":
    main()
