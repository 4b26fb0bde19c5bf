#!/usr/bin/env python3
"""Prints the tables of weights with fewer bits than float32's: speed beside quality, and every row against its bar.

    performance_precision.py bf16|int8|int4 RUN_RECORD [TEXT_RECORD]

RUN_RECORD is the record.json of a `gpt2-bench run` with packed, the variant of that name and other engines with such
weights as contestants; TEXT_RECORD that of a short run with the same contestants on a trained model, whose checks
say how they predict text. scripts/performance.sh makes both. A figure that is missing is empty, and a line under its
table says why; an engine that failed a check, in either record, has no figure. Ends with 0 where the tables could be
printed, with 1 where a record cannot be read, with 2 on wrong usage.
"""

import statistics
import sys
from dataclasses import dataclass

from performance_columns import (
    Table, at_least, at_most, best_peer, contestant_of, rate_of, share_columns, significant, source,
    speed_columns, threads_of, times_of)
from performance_record import Record, Unreadable, read

REFERENCE = "packed"
TESTS = {
    "prefill 64": ("prefill", 64, 1), "prefill 512": ("prefill", 512, 1),
    "decode after 16": ("decode", 16, 1), "decode after 512": ("decode", 512, 1)}


@dataclass(frozen=True)
class Bar:
    """What a precision has to reach, by the test's name: `speed` against the best peer, `gain` against packed, and
    `share` in per cent of the machine: of the peak of products of such `numbers`, or of the DRAM bandwidth."""

    bits: float  # of a weight, with its part of the scales
    rival: str  # llama.cpp with as many bits: more memory or a larger KL than its are a miss
    numbers: str
    speed: dict[str, float]
    gain: dict[str, float]
    share: dict[str, float]


SPEED = {"prefill 512": 1.5, "decode after 16": 1.15}
BARS = {
    "bf16": Bar(
        16, "llama.cpp-bf16", "bf16", SPEED, {"decode after 16": 1.8}, {"prefill 512": 70, "decode after 16": 90}),
    "int8": Bar(
        8.5, "llama.cpp-q8_0", "int8", SPEED, {"decode after 16": 3}, {"prefill 512": 45, "decode after 16": 90}),
    "int4": Bar(4.5, "llama.cpp-q4_0", "int8", SPEED, {"decode after 16": 4.5}, {"decode after 16": 90}),
}
BYTES_FACTOR = 1.1  # of the weights' bytes, keys and values aside


def speed_text(test: str, nanoseconds: float) -> str:
    return significant(nanoseconds / 1e6 if test.startswith("prefill") else 1e9 / nanoseconds)


def engines_table(record: Record, text: Record | None, subject: str) -> Table:
    """Each contestant in a row: its speed, its memory and its quality."""
    table = Table(
        "engine", "weights", "threads", *(f"{test} {unit_of(test)}" for test in TESTS), "peak MB", "KL",
        "KL on text", "top-1 on text")
    for threads in sorted({threads for _, threads in record.contestants}):
        for name in (subject, REFERENCE, *record.peers):
            row = f"{name} t{threads}"
            contestant = record.contestants.get((name, threads))
            speeds = [times_of(table, record, row, name, threads, of) for of in TESTS.values()]
            table.add(
                f"`{name}`", weights_of(record, name), str(threads),
                *(speed_text(test, statistics.median(times.values())) if times else ""
                  for test, times in zip(TESTS, speeds, strict=True)),
                f"{contestant.peak / 1e6:.1f}" if contestant and contestant.peak else "",
                *quality_columns(record, text, name))
    return table


def unit_of(test: str) -> str:
    return "ms" if test.startswith("prefill") else "tok/s"


def weights_of(record: Record, name: str) -> str:
    found = {cell.weights for (variant, *_), cell in record.cells.items() if variant == name}
    return ", ".join(sorted(found - {""}))


def quality_columns(record: Record, text: Record | None, name: str) -> tuple[str, str, str]:
    values = [(of.quality(name, figure) if of else None) for of, figure in (
        (record, "kl"), (text, "kl"), (text, "top1"))]
    kl, kl_on_text, top1 = values
    return (
        nats(kl), nats(kl_on_text), f"{100 * top1:.1f} %" if top1 is not None else "")


def nats(value: float | None) -> str:
    return "" if value is None else f"{value:.2e}"


def bar_table(record: Record, subject: str, bar: Bar) -> Table:
    table = Table(
        "test", "threads", f"`{subject}`", "best peer", "its figure", "× best peer (95 %)", "target",
        f"× `{REFERENCE}` (95 %)", "target", "% of the machine", "target")
    for title, test in TESTS.items():
        for threads in threads_of(record, subject):
            row = f"{title} t{threads}"
            own = times_of(table, record, row, subject, threads, test)
            best, theirs = best_peer(table, record, row, threads, test)
            packed = times_of(table, record, row, REFERENCE, threads, test)
            figures = [
                f"{speed_text(title, statistics.median(times.values()))} {unit_of(title)}" if times else ""
                for times in (own, theirs)]
            table.add(
                title, str(threads), figures[0], f"`{best}`" if best else "", figures[1],
                *speed_columns([(own, theirs)] if own and theirs else None, bar.speed.get(title)),
                *speed_columns([(own, packed)] if own and packed else None, bar.gain.get(title)),
                *machine_columns(table, record, row, subject, threads, title, bar))
    return table


def machine_columns(
    table: Table, record: Record, row: str, subject: str, threads: int, title: str, bar: Bar
) -> tuple[str, str]:
    """Arithmetic against the peak of this precision, or compulsory bytes against the DRAM bandwidth."""
    cell, ceiling = record.cells.get((subject, threads, TESTS[title])), record.ceilings.get(threads)
    work, roof = "bytes", ceiling.dram if ceiling else None
    if title.startswith("prefill"):
        work, roof = "flops", ceiling.peak(bar.numbers, cell.instructions if cell else None) if ceiling else None
        if roof is None:
            table.missing(row, f"no peak of products in {bar.numbers} was measured")
    rate = rate_of(cell, work)
    share, _, target = share_columns(rate, roof, bar.share.get(title))
    return share, target


def rival_table(record: Record, text: Record | None, subject: str, bar: Bar) -> Table:
    """Memory and quality against llama.cpp with as many bits."""
    table = Table(
        "quantity", "threads", f"`{subject}`", f"`{bar.rival}`", "target", "× the weights' bytes, caches aside",
        "target")
    weight_bytes = record.document["model"]["weightBytes"] / 32 * bar.bits
    for threads in threads_of(record, subject):
        row = f"peak MB t{threads}"
        sides = [contestant_of(table, record, row, name, threads) for name in (subject, bar.rival)]
        own, theirs = (side.peak / 1e6 if side and side.peak else None for side in sides)
        factor = (sides[0].peak - sides[0].cache) / weight_bytes if own else None
        table.add(
            "peak MB", str(threads), *(f"{peak:.1f}" if peak else "" for peak in (own, theirs)),
            at_most(own, theirs, 1) if own and theirs else "", f"{factor:.3f}" if factor else "",
            at_most(factor, BYTES_FACTOR, 2) if factor else f"≤ {BYTES_FACTOR}")
    for title, of in (("KL", record), ("KL on text", text)):
        own, theirs = (of.quality(name, "kl") if of else None for name in (subject, bar.rival))
        target = "" if own is None or theirs is None else f"≤ {nats(theirs)}: {'met' if own <= theirs else 'missed'}"
        table.add(title, "", nats(own), nats(theirs), target, "", "")
        if own is None or theirs is None:
            table.missing(title, "no check told it")
    return table


def withdraw_failures(record: Record, text: Record) -> None:
    """An engine that failed its check on text gets no figure either; one that was not given that model keeps its."""
    for (name, threads), contestant in text.contestants.items():
        if (contestant.problem or "").startswith("failed") and (name, threads) in record.contestants:
            record.withdraw(name, threads, f"on text: {contestant.problem}")


def main() -> int:
    if len(sys.argv) not in (3, 4) or sys.argv[1] not in BARS:
        print(__doc__, file=sys.stderr)
        return 2
    subject, bar = sys.argv[1], BARS[sys.argv[1]]
    try:
        run = read(sys.argv[2], "end-to-end")
        text = read(sys.argv[3], "end-to-end") if len(sys.argv) == 4 else None
    except Unreadable as error:
        print(f"performance_precision.py: {error}", file=sys.stderr)
        return 1
    if text:
        withdraw_failures(run, text)
    parts = [
        f"### Weights of {subject}", engines_table(run, text, subject), bar_table(run, subject, bar),
        rival_table(run, text, subject, bar), source(run, "Run")]
    if text:
        parts.append(source(text, "Text"))
    print("\n\n".join(map(str, parts)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
