#!/usr/bin/env python3
"""Prints the performance table of Benchmarks/README.md: every row against the best peer and against the machine.

    performance_table.py RUN_RECORD MATMUL_RECORD

RUN_RECORD is the record.json of a `gpt2-bench run` with the variant packed and other engines as contestants,
MATMUL_RECORD that of a `gpt2-bench matmul` with packed and blas; scripts/performance.sh makes both. A figure that
is missing is empty, and a line under its table says why. Ends with 0 where the tables could be printed, whether
targets are met or not, with 1 where a record cannot be read, with 2 on wrong usage.
"""

import math
import statistics
import sys
from collections.abc import Callable

from performance_columns import (
    Table, at_least, at_most, best_peer, contestant_of, explain, rate_of, share_columns, significant, source,
    speed_columns, threads_of, times_of)
from performance_record import Record, Rounds, Unreadable, read

SUBJECT, YARDSTICK, MEMORY_PEER = "packed", "blas", "llama.cpp"
# Least speed against the best peer by number of threads, least share of the roof in per cent.
PREFILL = {512: ({1: 1.2, 2: 1.35}, 85), 64: ({1: 1.2, 2: 1.3}, 70)}
DECODE = {16: ({1: 1.0, 2: 1.0}, 95), 512: ({1: 1.0, 2: 1.0}, 95)}
# K, N of GPT-2 124M's four products: QKV, attention's projection, and the two of the MLP.
SHAPES = ((768, 2304), (768, 768), (768, 3072), (3072, 768))
MATMUL_SPEED, MATMUL_SHARE = 1.1, {64: None, 512: 90}
WEIGHTS_FACTOR, LOAD_SPEED = 1.08, 1.0


def speed_table(record: Record) -> Table:
    table = Table(
        "test", "threads", f"`{SUBJECT}`", "best peer", "its figure", "× best peer (95 %)", "target",
        "% of the roof", "% of the median ceiling", "target")
    tests = [("prefill", size, PREFILL[size], "flops", "fma", lambda ns: significant(ns / 1e6) + " ms")
             for size in PREFILL]
    tests += [("decode", size, DECODE[size], "bytes", "dram", lambda ns: significant(1e9 / ns) + " tok/s")
              for size in DECODE]
    for kind, size, targets, work, roof, text in tests:
        title = f"prefill {size}" if kind == "prefill" else f"decode after {size}"
        for threads in threads_of(record, SUBJECT):
            speed_row(table, record, (kind, size, 1), title, threads, targets, work, roof, text)
    return table


def speed_row(
    table: Table, record: Record, test: tuple, title: str, threads: int, targets: tuple, work: str, roof: str,
    text: Callable[[float], str], peer: str | None = None,
) -> None:
    """- peer: whom the row is against; None for the best."""
    row = f"{title} t{threads}"
    own = times_of(table, record, row, SUBJECT, threads, test)
    if peer:
        best, theirs = peer, times_of(table, record, row, peer, threads, test)
    else:
        best, theirs = best_peer(table, record, row, threads, test)
    pairs = [(own, theirs)] if own and theirs else None
    ceiling = record.ceilings.get(threads)
    if not ceiling:
        table.missing(row, "no ceiling was measured")
    rate = rate_of(record.cells.get((SUBJECT, threads, test)), work)
    if own and rate is None:
        table.missing(row, f"the record does not say how many {work} the test takes")
    table.add(
        title, str(threads), text(statistics.median(own.values())) if own else "",
        f"`{best}`" if best else "", text(statistics.median(theirs.values())) if theirs else "",
        *speed_columns(pairs, targets[0].get(threads)),
        *share_columns(rate, getattr(ceiling, roof) if ceiling else None, targets[1]))


def matmul_table(record: Record) -> Table:
    table = Table(
        "M × K × N", "threads", f"`{SUBJECT}` GFLOP/s", "OpenBLAS GFLOP/s", "× OpenBLAS (95 %)", "target",
        "% of the FMA peak", "% of the median ceiling", "target")
    for m, share in MATMUL_SHARE.items():
        for threads in threads_of(record, SUBJECT):
            pairs = [matmul_row(table, record, (m, k, n), threads, share) for k, n in SHAPES]
            whole = None if None in pairs else pairs
            table.add(
                f"M = {m}, geometric mean", str(threads), "", "", *speed_columns(whole, MATMUL_SPEED), "", "", "")
    return table


def matmul_row(
    table: Table, record: Record, shape: tuple[int, int, int], threads: int, share: float | None
) -> tuple[Rounds, Rounds] | None:
    title = " × ".join(map(str, shape))
    row = f"{title} t{threads}"
    cells = [record.cells.get((name, threads, ("gemm", *shape))) for name in (SUBJECT, YARDSTICK)]
    for name, cell in zip((SUBJECT, YARDSTICK), cells, strict=True):
        if not (cell and cell.times):
            explain(table, row, name, cell)
    operations = 2 * math.prod(shape)
    rates = [
        operations / statistics.median(cell.times.values()) if cell and cell.times else None for cell in cells]
    pair = None if None in rates else (cells[0].times, cells[1].times)
    ceiling = record.ceilings.get(threads)
    if not ceiling:
        table.missing(row, "no ceiling was measured")
    table.add(
        title, str(threads), *(significant(rate) if rate else "" for rate in rates),
        *speed_columns([pair] if pair else None, MATMUL_SPEED),
        *share_columns(rates[0], ceiling.fma if ceiling else None, share))
    return pair


def memory_table(record: Record) -> Table:
    table = Table(
        "peak memory", "threads", f"`{SUBJECT}` MB", f"`{MEMORY_PEER}` MB", "target", "× the weights' bytes",
        "target")
    weights = record.document["model"]["weightBytes"]
    for threads in threads_of(record, SUBJECT):
        row = f"peak memory t{threads}"
        own, peer = (contestant_of(table, record, row, name, threads) for name in (SUBJECT, MEMORY_PEER))
        peaks = [contestant.peak if contestant else None for contestant in (own, peer)]
        for name, contestant, peak in zip((SUBJECT, MEMORY_PEER), (own, peer), peaks, strict=True):
            if contestant and not contestant.problem and peak is None:
                table.missing(row, f"`{name}` did not say its peak")
        table.add(
            "whole run", str(threads), *(f"{peak / 1e6:.1f}" if peak else "" for peak in peaks),
            at_most(peaks[0] / 1e6, peaks[1] / 1e6, 1) if all(peaks) else "",
            f"{peaks[0] / weights:.3f}" if peaks[0] else "",
            at_most(peaks[0] / weights, WEIGHTS_FACTOR, 2) if peaks[0] else f"≤ {WEIGHTS_FACTOR}")
    return table


def load_table(record: Record) -> Table:
    table = Table(
        "load to first token", "threads", f"`{SUBJECT}` ms", "n", f"`{MEMORY_PEER}` ms", "n",
        f"× `{MEMORY_PEER}` (95 %)", "target")
    for threads in threads_of(record, SUBJECT):
        row = f"load to first token t{threads}"
        columns, sides = [], []
        for name in (SUBJECT, MEMORY_PEER):
            contestant = contestant_of(table, record, row, name, threads)
            loads = contestant.loads if contestant else {}
            if contestant and not contestant.problem and not loads:
                table.missing(row, f"`{name}` has no timed loads")
            sides.append(loads)
            columns += [significant(statistics.median(loads.values()) / 1e6), str(len(loads))] if loads else ["", ""]
        table.add(
            "file in cache", str(threads), *columns,
            *speed_columns([tuple(sides)] if all(sides) else None, LOAD_SPEED))
    return table


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        run, matmul = read(sys.argv[1], "end-to-end"), read(sys.argv[2], "gemm")
    except Unreadable as error:
        print(f"performance_table.py: {error}", file=sys.stderr)
        return 1
    parts = [
        speed_table(run), memory_table(run), load_table(run), source(run, "Run"), matmul_table(matmul),
        source(matmul, "Matmul")]
    print("\n\n".join(map(str, parts)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
