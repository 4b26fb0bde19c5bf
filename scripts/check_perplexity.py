#!/usr/bin/env python3
"""Holds `gpt2-bench perplexity` against what the training of the tiny model reported for the same text.

    python3 scripts/check_perplexity.py BENCH tinyshakespeare.txt

BENCH is the built gpt2-bench. The text's last 10 % go through every variant in whole adjacent windows, as `train`
validates; nats per token of the variants with float32 weights must be those of the last step in weights/tiny/training.log,
to its last digit. Exits 1 where one is not.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "weights" / "tiny"
#: Other weights give other losses; `check` holds those to limits.
NARROW = ("bf16", "int8", "int4")


def reported() -> str:
    """Nats per token after the last step."""
    return (MODEL / "training.log").read_text(encoding="utf-8").splitlines()[-1].split()[2]


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    bench, path = sys.argv[1:]
    text = Path(path).read_text(encoding="utf-8")
    context = json.loads((MODEL / "config.json").read_text(encoding="utf-8"))["n_positions"]
    command = [bench, "perplexity", "-", "--model", str(MODEL), "--variants", "all", "--stride", str(context),
               "--whole-windows", "--format", "json"]  # fmt: skip
    validation = text[len(text) * 9 // 10 :]
    output = subprocess.run(command, input=validation, capture_output=True, text=True, check=True).stdout
    report, expected = json.loads(output), reported()
    print(f"{report['scoredTokens']} tokens, {report['scoredBytes']} bytes; the training reported {expected}")
    agrees = True
    for row in report["results"]:
        found = f"{row['natsPerToken']:.4f}"
        agrees = agrees and (found == expected or row["variant"] in NARROW)
        print(f"{row['variant']:<16} {found}  {row['bitsPerByte']:.4f}  {row['tokensPerSecond']:.0f} tok/s")
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
