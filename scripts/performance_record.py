"""What the performance tables read: a record of gpt2-bench as times by round, and the statistics of two such rows.

A module of performance_table.py, performance_precision.py and performance_training.py.
"""

import json
import math
import random
import statistics
from dataclasses import dataclass, replace

SCHEMA = 1
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
    weights: str  # their precision
    instructions: str | None  # that products with them ran on


@dataclass(frozen=True)
class Contestant:
    """What holds for a process: its peak in bytes, what of it keys and values may take, and nanoseconds to the first
    token by round."""

    peak: int | None
    cache: float
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
                {} if problem else durations(cell), problem, cell.get("flops"), cell.get("bytes"),
                cell["weights"], cell.get("instructions"))
            self.cells[(*who, test_of(cell["test"]))] = read
            loads = (cell.get("load") or {}).get("samples") or []
            # One process runs all its cells: a check that fails on one of them speaks against it whole.
            earlier = self.contestants.get(who)
            cache = max(cell.get("cacheBytes") or 0, earlier.cache if earlier else 0)
            contestant = Contestant(
                cell.get("peakMemoryBytes"), cache,
                {load["round"]: float(load["firstTokenNanoseconds"]) for load in loads}, None)
            if problem or (earlier and earlier.problem):
                contestant = Contestant(None, cache, {}, (earlier and earlier.problem) or problem)
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


    def withdraw(self, name: str, threads: int, problem: str) -> None:
        """Takes all figures of a contestant away."""
        self.contestants[name, threads] = Contestant(None, 0, {}, problem)
        for key, cell in self.cells.items():
            if key[:2] == (name, threads):
                self.cells[key] = replace(cell, times={}, problem=cell.problem or problem)

    def quality(self, variant: str, figure: str) -> float | None:
        """The worst of the variant's checks: of `kl` the highest, of `top1` the lowest; None where none has it. Our own
        variants are checked on more references than other programs: of theirs only those count that these have too."""
        checks = [check for check in self.document["correctness"] if check.get(figure) is not None]
        shared = {check["reference"] for check in checks if check["variant"] in self.peers}
        found = [
            check[figure] for check in checks
            if check["variant"] == variant and (not shared or check["reference"] in shared)]
        return (max if figure == "kl" else min)(found, default=None)


class Ceiling:
    """Roof and median of one number of threads: DRAM in GB/s; the peaks of float32's multiply-adds and of narrower
    products, by their numbers and instructions, in 10⁹ operations a second."""

    def __init__(self, document: dict) -> None:
        levels = {level["level"]: level["trials"] for level in document.get("memory") or []}
        self.fma = spread(document.get("fmaTrials"), document["fmaGFLOPS"])
        self.dram = spread(levels.get("DRAM"), document["dramGBPerSecond"])
        self.products = {
            (peak["numbers"], peak["instructions"]): spread(peak["trials"], max(peak["trials"]))
            for peak in document.get("products") or []}

    def peak(self, numbers: str, instructions: str | None) -> tuple[float, float | None] | None:
        """Of products with these instructions; where they are not known, the highest."""
        if instructions:
            return self.products.get((numbers, instructions))
        return max((of for (kind, _), of in self.products.items() if kind == numbers), default=None)


def spread(trials: list[float] | None, best: float) -> tuple[float, float | None]:
    """The roof and the median of the trials; the best alone where a record keeps no trials."""
    return (quantile(trials, ROOF_QUANTILE), statistics.median(trials)) if trials else (best, None)


def test_of(test: dict) -> tuple:
    if "gemm" in test:
        return ("gemm", *(test["gemm"][size] for size in "mkn"))
    [(kind, of)] = test.items()
    if kind == "training":
        return (kind, of["batch"], of["context"])
    return (kind, of["depth" if kind == "decode" else "tokens"], of["batch"])


def durations(cell: dict) -> Rounds:
    """Nanoseconds by round: of the prompt's forward pass, of one decode step, of one training step, or of one product."""
    result = {}
    for sample in cell["samples"]:
        tokens = sample["tokenNanoseconds"]
        if "gemm" in cell["test"] or "training" in cell["test"]:
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
