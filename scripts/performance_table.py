#!/usr/bin/env python3
"""Prints the performance table of Benchmarks/README.md: every row against the best peer and against the machine.

    performance_table.py RUN_RECORD MATMUL_RECORD

RUN_RECORD is the record.json of a `gpt2-bench run` with the variant packed and other engines as contestants,
MATMUL_RECORD that of a `gpt2-bench matmul` with packed and blas; scripts/performance.sh makes both. A figure that
is missing is empty, and a line under its table says why. Ends with 0 where the tables could be printed, whether
targets are met or not, with 1 where a record cannot be read, with 2 on wrong usage.
"""

import json
import math
import random
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass

SCHEMA = 1
SUBJECT, YARDSTICK, MEMORY_PEER = "packed", "blas", "llama.cpp"
THREADS = (1, 2)
# Least speed against the best peer by number of threads, least share of the roof in per cent.
PREFILL = {512: ({1: 1.2, 2: 1.35}, 85), 64: ({1: 1.2, 2: 1.3}, 70)}
DECODE = {16: ({1: 1.0, 2: 1.0}, 95), 512: ({1: 1.0, 2: 1.0}, 95)}
# K, N of GPT-2 124M's four products: QKV, attention's projection, and the two of the MLP.
SHAPES = ((768, 2304), (768, 768), (768, 3072), (3072, 768))
MATMUL_SPEED, MATMUL_SHARE = 1.1, {64: None, 512: 90}
WEIGHTS_FACTOR, LOAD_SPEED = 1.08, 1.0
# Of the trials of a ceiling; Sources/Reporting/Roof.swift takes the same one.
ROOF_QUANTILE = 0.9
RESAMPLES, SEED, FEWEST_ROUNDS = 2000, 1, 3

Rounds = dict[int, float]


class Unreadable(Exception):
    """A record that no table can be made of; one line."""


@dataclass(frozen=True)
class Cell:
    """One contestant on one test. `times`, by round, is empty where `problem` says why."""

    times: Rounds
    problem: str | None
    flops: float | None
    bytes: float | None


@dataclass(frozen=True)
class Contestant:
    """What holds for a process: its peak in bytes, and nanoseconds to the first token by round."""

    peak: int | None
    loads: Rounds
    problem: str | None


class Record:
    def __init__(self, document: dict) -> None:
        self.document = document
        self.peers = [peer["name"] for peer in document.get("peers") or []]
        self.ceilings = {ceiling["threads"]: Ceiling(ceiling) for ceiling in document["ceilings"]}
        self.cells: dict[tuple, Cell] = {}
        self.contestants: dict[tuple, Contestant] = {}
        for cell in document["cells"]:
            who = (cell["variant"], cell["threads"])
            problem = self.problem(cell)
            read = Cell(
                {} if problem else durations(cell), problem, cell.get("flops"), cell.get("bytes"))
            self.cells[(*who, test_of(cell["test"]))] = read
            loads = (cell.get("load") or {}).get("samples") or []
            contestant = Contestant(
                cell.get("peakMemoryBytes"),
                {load["round"]: float(load["firstTokenNanoseconds"]) for load in loads}, None)
            # One process runs all its cells: a check that fails on one of them speaks against it whole.
            earlier = self.contestants.get(who)
            if problem or (earlier and earlier.problem):
                contestant = Contestant(None, {}, (earlier and earlier.problem) or problem)
            self.contestants[who] = contestant

    def problem(self, cell: dict) -> str | None:
        """Why no figure may be made of the cell: its status, or a failed check of what it measured."""
        if cell["status"] != "measured":
            message = (cell.get("message") or "").removeprefix(f"{cell['variant']} t{cell['threads']}: ")
            return ": ".join(filter(None, (cell["status"], message)))
        checks = [check for check in self.document["correctness"] if check["variant"] == cell["variant"]]
        if "gemm" in cell["test"]:
            shape = "{m}x{k}x{n}".format(**cell["test"]["gemm"])
            checks = [check for check in checks if check["reference"] == shape]
        own = [check for check in checks if check["threads"] == cell["threads"]]
        for check in own or checks:
            if not check["passed"]:
                return f"failed its check: {check['reference']}: {check.get('failure') or 'beyond the tolerance'}"
        return None if durations(cell) else "no samples"


class Ceiling:
    """Roofs and medians of one number of threads: the FMA peak in GFLOP/s, DRAM in GB/s."""

    def __init__(self, document: dict) -> None:
        levels = {level["level"]: level["trials"] for level in document.get("memory") or []}
        self.fma = spread(document.get("fmaTrials"), document["fmaGFLOPS"])
        self.dram = spread(levels.get("DRAM"), document["dramGBPerSecond"])


def spread(trials: list[float] | None, best: float) -> tuple[float, float | None]:
    """The roof and the median of the trials; the best alone where a record keeps no trials."""
    return (quantile(trials, ROOF_QUANTILE), statistics.median(trials)) if trials else (best, None)


def test_of(test: dict) -> tuple:
    if "gemm" in test:
        return ("gemm", *(test["gemm"][size] for size in "mkn"))
    [(kind, of)] = test.items()
    return (kind, of["depth" if kind == "decode" else "tokens"], of["batch"])


def durations(cell: dict) -> Rounds:
    """Nanoseconds by round: of the prompt's forward pass, of one decode step, or of one product."""
    result = {}
    for sample in cell["samples"]:
        tokens = sample["tokenNanoseconds"]
        if "gemm" in cell["test"]:
            time = sample["elapsedNanoseconds"]
        elif "decode" in cell["test"]:
            time = (tokens[-1] - tokens[0]) / (len(tokens) - 1) if len(tokens) > 1 else None
        else:
            time = sample.get("prefillNanoseconds")
        if time:
            result[sample["round"]] = float(time)
    return result


def quantile(values: list[float], probability: float) -> float:
    """Type 7 of Hyndman and Fan (1996), as Sources/Statistics has it."""
    ordered = sorted(values)
    position = (len(ordered) - 1) * probability
    lower = int(position)
    upper = min(lower + 1, len(ordered) - 1)
    return ordered[lower] + (position - lower) * (ordered[upper] - ordered[lower])


def ratio(pairs: list[tuple[Rounds, Rounds]]) -> float:
    """The geometric mean of median(others) ÷ median(own): how many times as fast `own` is."""
    logarithms = [
        math.log(statistics.median(others.values()) / statistics.median(own.values())) for own, others in pairs]
    return math.exp(statistics.fmean(logarithms))


def interval(pairs: list[tuple[Rounds, Rounds]]) -> tuple[float, float] | None:
    """95 % of `ratio` by percentile bootstrap over whole rounds, in which all took turns; None for fewer than 3."""
    rounds = sorted(set.intersection(*(set(side) for pair in pairs for side in pair)))
    if len(rounds) < FEWEST_ROUNDS:
        return None
    generator = random.Random(SEED)
    ratios = []
    for _ in range(RESAMPLES):
        drawn = generator.choices(rounds, k=len(rounds))
        ratios.append(
            ratio([tuple({i: side[r] for i, r in enumerate(drawn)} for side in pair) for pair in pairs]))
    return quantile(ratios, 0.025), quantile(ratios, 0.975)


def read(path: str, kind: str) -> Record:
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path}: {getattr(error, 'strerror', None) or f'no JSON: {error}'}") from None
    if not isinstance(document, dict):
        raise Unreadable(f"{path}: found no object, expected a record")
    for field, expected in (("schema", SCHEMA), ("kind", kind)):
        if document.get(field) != expected:
            raise Unreadable(f"{path}: {field}: found {document.get(field)!r}, expected {expected!r}")
    try:
        document["machine"]["cpu"], document["build"]["commit"], document["started"]
        if kind == "end-to-end":
            document["model"]["name"], document["model"]["weightBytes"]
        return Record(document)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Unreadable(f"{path}: not as a record is: {type(error).__name__}: {error}") from None


class Table:
    """Rows of text, and under them the reasons for what is empty."""

    def __init__(self, *headings: str) -> None:
        self.headings, self.rows, self.reasons = headings, [], {}

    def add(self, *cells: str) -> None:
        self.rows.append(cells)

    def missing(self, row: str, reason: str) -> None:
        rows = self.reasons.setdefault(" ".join(reason.split()), [])
        if row not in rows:
            rows.append(row)

    def __str__(self) -> str:
        lines = [self.headings, ["---"] + ["---:"] * (len(self.headings) - 1), *self.rows]
        text = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        reasons = [f"- {', '.join(rows)}: {reason}" for reason, rows in self.reasons.items()]
        return text + ("\n\n" + "\n".join(reasons) if reasons else "")


def significant(value: float, digits: int = 4) -> str:
    return f"{value:.{max(digits - 1 - math.floor(math.log10(value)), 0)}f}"


def at_least(value: float | None, target: float | None, digits: int) -> str:
    if target is None:
        return ""
    goal = f"≥ {target:g}"
    if value is None:
        return goal
    return f"{goal}: met" if value >= target else f"{goal}: missed by {shortfall(target - value, digits)}"


def at_most(value: float, target: float, digits: int) -> str:
    goal = f"≤ {target:.{digits}f}"
    return f"{goal}: met" if value <= target else f"{goal}: missed by {shortfall(value - target, digits)}"


def shortfall(amount: float, digits: int) -> str:
    """With more digits where it would read as nothing."""
    return f"{amount:.{digits}f}" if amount >= 0.5 * 10**-digits else significant(amount, 1)


def speed_columns(pairs: list[tuple[Rounds, Rounds]] | None, target: float | None) -> tuple[str, str]:
    if not pairs:
        return "", at_least(None, target, 2)
    value, range_ = ratio(pairs), interval(pairs)
    text = f"{value:.2f}" + (f" ({range_[0]:.2f} to {range_[1]:.2f})" if range_ else "")
    return text, at_least(value, target, 2)


def share_columns(rate: float | None, roof: tuple[float, float | None] | None, target: float | None) -> tuple:
    """`rate` against the roof and against the median trial, both in its unit; per cent."""
    if rate is None or roof is None:
        return "", "", at_least(None, target, 1)
    share = 100 * rate / roof[0]
    median = f"{100 * rate / roof[1]:.1f}" if roof[1] else ""
    return f"{share:.1f}", median, at_least(share, target, 1)


def rate_of(cell: Cell | None, work: str) -> float | None:
    """10⁹ FLOP or bytes a second."""
    amount = getattr(cell, work) if cell else None
    return amount / statistics.median(cell.times.values()) if amount and cell.times else None


def threads_of(record: Record) -> list[int]:
    return sorted({*THREADS, *(threads for variant, threads in record.contestants if variant == SUBJECT)})


def counted(threads: int) -> str:
    return f"{threads} thread" + ("" if threads == 1 else "s")


def explain(table: Table, row: str, name: str, of: Cell | Contestant | None) -> None:
    table.missing(row, f"`{name}` {of.problem if of and of.problem else 'was not measured'}")


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
        for threads in threads_of(record):
            speed_row(table, record, (kind, size, 1), title, threads, targets, work, roof, text)
    return table


def speed_row(
    table: Table, record: Record, test: tuple, title: str, threads: int, targets: tuple, work: str, roof: str,
    text: Callable[[float], str],
) -> None:
    row = f"{title} t{threads}"
    own = record.cells.get((SUBJECT, threads, test))
    if not (own and own.times):
        explain(table, row, SUBJECT, own)
    peers = {}
    for name in record.peers:
        cell = record.cells.get((name, threads, test))
        if cell and cell.times:
            peers[name] = cell.times
        else:
            explain(table, row, name, cell)
    if not record.peers:
        table.missing(row, "no other program took part")
    best = min(peers, key=lambda name: statistics.median(peers[name].values()), default=None)
    pairs = [(own.times, peers[best])] if own and own.times and best else None
    ceiling = record.ceilings.get(threads)
    if not ceiling:
        table.missing(row, "no ceiling was measured")
    rate = rate_of(own, work)
    if own and own.times and rate is None:
        table.missing(row, f"the record does not say how many {work} the test takes")
    table.add(
        title, str(threads), text(statistics.median(own.times.values())) if own and own.times else "",
        f"`{best}`" if best else "", text(statistics.median(peers[best].values())) if best else "",
        *speed_columns(pairs, targets[0].get(threads)),
        *share_columns(rate, getattr(ceiling, roof) if ceiling else None, targets[1]))


def matmul_table(record: Record) -> Table:
    table = Table(
        "M × K × N", "threads", f"`{SUBJECT}` GFLOP/s", "OpenBLAS GFLOP/s", "× OpenBLAS (95 %)", "target",
        "% of the FMA peak", "% of the median ceiling", "target")
    for m, share in MATMUL_SHARE.items():
        for threads in threads_of(record):
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
    for threads in threads_of(record):
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
    for threads in threads_of(record):
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


def contestant_of(table: Table, record: Record, row: str, name: str, threads: int) -> Contestant | None:
    contestant = record.contestants.get((name, threads))
    if contestant is None or contestant.problem:
        explain(table, row, name, contestant)
    return contestant


def source(record: Record, what: str) -> str:
    """Where the figures come from, what the ceilings were, and what speaks against them."""
    document = record.document
    model = f"{document['model']['name']}, " if document.get("model") else ""
    lines = [
        f"{what}: {model}{document['machine']['cpu']}, build {document['build']['commit'] or 'unknown'}, "
        f"{document['started']}."]
    if document["machine"].get("blas"):
        lines.append(f"- BLAS: {document['machine']['blas']}")
    for peer in document.get("peers") or []:
        if peer.get("version"):
            lines.append(f"- `{peer['name']}`: {peer['version']}")
    for threads, ceiling in sorted(record.ceilings.items()):
        parts = [
            f"{name} {significant(roof)} {unit}" + (f" (median trial {significant(median)})" if median else "")
            for name, unit, (roof, median) in (
                ("FMA peak", "GFLOP/s", ceiling.fma), ("DRAM", "GB/s", ceiling.dram))]
        lines.append(f"- {counted(threads)}: {', '.join(parts)}")
    if not document.get("isComplete"):
        lines.append("- **Incomplete:** the run ended before its last cell.")
    lines += [f"- Warning: {warning}" for warning in document.get("warnings") or []]
    return "\n".join(lines)


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
