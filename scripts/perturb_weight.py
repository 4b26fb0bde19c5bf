#!/usr/bin/env python3
"""Changes one weight in the middle of a tensor of a .safetensors file by 0.25, in place.

    perturb_weight.py FILE TENSOR
"""

import json
import struct
import sys


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    path, name = sys.argv[1:]
    with open(path, "r+b") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(length))
        if name not in header:
            sys.exit(f"perturb_weight.py: {path} has no tensor {name}")
        begin, end = header[name]["data_offsets"]
        offset = 8 + length + begin + (end - begin) // 8 * 4
        file.seek(offset)
        value = struct.unpack("<f", file.read(4))[0]
        file.seek(offset)
        file.write(struct.pack("<f", value + 0.25))


if __name__ == "__main__":
    main()
