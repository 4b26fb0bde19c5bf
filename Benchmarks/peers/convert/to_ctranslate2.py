"""Float32 model for CTranslate2, by its own converter.    to_ctranslate2.py WEIGHTS OUT"""

import sys

from ctranslate2.converters import TransformersConverter


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    TransformersConverter(sys.argv[1]).convert(sys.argv[2], quantization="float32", force=True)


if __name__ == "__main__":
    main()
