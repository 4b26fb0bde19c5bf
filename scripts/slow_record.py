#!/usr/bin/env python3
"""Writes a copy of a record in which one variant is slower: what a regression looks like to `compare`.

    slow_record.py RECORD VARIANT FACTOR OUT
"""

import json
import sys


def slow(sample: dict, factor: float) -> None:
    sample["elapsedNanoseconds"] *= factor
    if sample.get("prefillNanoseconds") is not None:
        sample["prefillNanoseconds"] = round(sample["prefillNanoseconds"] * factor)
    sample["tokenNanoseconds"] = [round(time * factor) for time in sample["tokenNanoseconds"]]


def main() -> None:
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    source, variant, factor, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        record = json.load(file)
    cells = [cell for cell in record["cells"] if cell["variant"] == variant]
    if not cells:
        sys.exit(f"slow_record.py: {source} has no variant {variant}")
    for cell in cells:
        for sample in cell["samples"]:
            slow(sample, float(factor))
    with open(target, "w", encoding="utf-8") as file:
        json.dump(record, file)


if __name__ == "__main__":
    main()
