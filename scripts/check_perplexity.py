#!/usr/bin/env python3
"""Holds `gpt2-bench perplexity` against what the training of the tiny model reported for the same text.

    python3 scripts/check_perplexity.py BENCH tinyshakespeare.txt

BENCH is the built gpt2-bench. The text's last 10 % go through every variant in whole adjacent windows, as
train_tiny.py's validation has them; nats per token and bits per byte must be the best ones in weights/tiny/training.log,
to its last digit. Exits 1 where one is not.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "weights" / "tiny"


def reported() -> tuple[str, str]:
    """Nats per token and bits per byte of the checkpoint that was kept."""
    rows = [line.split() for line in (MODEL / "training.log").read_text(encoding="utf-8").splitlines()[2:]]
    best = min(rows, key=lambda row: float(row[2]))
    return best[2], best[3]


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
    print(f"{report['scoredTokens']} tokens, {report['scoredBytes']} bytes; the training reported {' '.join(expected)}")
    agrees = True
    for row in report["results"]:
        found = f"{row['natsPerToken']:.4f}", f"{row['bitsPerByte']:.4f}"
        agrees = agrees and found == expected
        print(f"{row['variant']:<12} {' '.join(found)}  {row['tokensPerSecond']:.0f} tok/s")
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
