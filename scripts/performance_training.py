#!/usr/bin/env python3
"""Prints the table of training: a step of each size against each peer and against the machine.

    performance_training.py RECORD

RECORD is the record.json of a `gpt2-bench run --train` with the variant packed and other engines as contestants;
scripts/performance.sh --train makes it. A figure that is missing is empty, and a line under the table says why. Ends
with 0 where the table could be printed, with 1 where the record cannot be read, with 2 on wrong usage.
"""

import sys

from performance_columns import Table, significant, source, threads_of
from performance_record import Unreadable, read
from performance_table import SUBJECT, speed_row

# Least speed by number of threads against PyTorch in eager mode, which is what people run; least share of the FMA peak in
# per cent, of 6 · parameters · tokens.
EAGER, SPEED, SHARE = "pytorch", {2: 1.5}, 65


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        record = read(sys.argv[1], "end-to-end")
    except Unreadable as error:
        print(f"performance_training.py: {error}", file=sys.stderr)
        return 1
    table = Table(
        "test", "threads", f"`{SUBJECT}`", "peer", "its figure", "× the peer (95 %)", "target",
        "% of the FMA peak", "% of the median trial", "target")
    for test in dict.fromkeys(test for _, _, test in record.cells if test[0] == "training"):
        _, batch, context = test
        for threads in threads_of(record, SUBJECT):
            for peer in record.peers or [None]:
                speed_row(
                    table, record, test, f"train{batch}x{context}", threads,
                    (SPEED if peer == EAGER else {}, SHARE), "flops", "fma", lambda ns: significant(ns / 1e6) + " ms",
                    peer)
    print(f"{table}\n\n{source(record, 'Training')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
