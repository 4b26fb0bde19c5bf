"""The text of the performance tables: Markdown with the reasons for what is empty, ratios, shares and targets.

A module of performance_table.py, performance_precision.py and performance_training.py.
"""

import math
import statistics

from performance_record import Cell, Contestant, Record, Rounds, interval, ratio

THREADS = (1, 2)


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


def counted(threads: int) -> str:
    return f"{threads} thread" + ("" if threads == 1 else "s")


def explain(table: Table, row: str, name: str, of: Cell | Contestant | None) -> None:
    table.missing(row, f"`{name}` {of.problem if of and of.problem else 'was not measured'}")


def threads_of(record: Record, subject: str) -> list[int]:
    return sorted({*THREADS, *(threads for variant, threads in record.contestants if variant == subject)})


def times_of(table: Table, record: Record, row: str, name: str, threads: int, test: tuple) -> Rounds | None:
    """None with a reason under the table."""
    cell = record.cells.get((name, threads, test))
    if cell and cell.times:
        return cell.times
    explain(table, row, name, cell)
    return None


def best_peer(
    table: Table, record: Record, row: str, threads: int, test: tuple
) -> tuple[str, Rounds] | tuple[None, None]:
    """The fastest of the other programs; those without a figure get a reason under the table."""
    if not record.peers:
        table.missing(row, "no other program took part")
    peers = {name: times_of(table, record, row, name, threads, test) for name in record.peers}
    measured = {name: times for name, times in peers.items() if times}
    return min(measured.items(), key=lambda peer: statistics.median(peer[1].values()), default=(None, None))


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
                ("FMA peak", "GFLOP/s", ceiling.fma),
                *((f"{numbers} peak of {instructions}", "GOP/s", peak)
                  for (numbers, instructions), peak in ceiling.products.items()),
                ("DRAM", "GB/s", ceiling.dram))]
        lines.append(f"- {counted(threads)}: {', '.join(parts)}")
    if not document.get("isComplete"):
        lines.append("- **Incomplete:** the run ended before its last cell.")
    lines += [f"- Warning: {warning}" for warning in document.get("warnings") or []]
    return "\n".join(lines)
