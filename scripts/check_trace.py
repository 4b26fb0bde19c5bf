#!/usr/bin/env python3
"""Checks the trace that `gpt2-bench profile` writes against the formats' own rules, with none of its code.

    check_trace.py TRACE.json [FOLDED]

TRACE.json: Trace Event Format, the JSON object form with begin (B), end (E), counter (C) and metadata (M) events
(https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU), and what Perfetto and
speedscope ask for beyond it: U+007F escaped, a time in every event. FOLDED: the folded stacks of
https://github.com/brendangregg/FlameGraph; they are compared with the self times that follow from the trace.

Ends with 0 where every rule holds, with 1 where one does not (the first faults are named) or a file cannot be
read, with 2 on wrong usage.
"""

import json
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

MOST_FAULTS = 20
NUMBER = (int, Decimal)
# The members of every event, and those of each phase, with their types.
COMMON = {"ph": str, "name": str, "pid": int, "tid": int, "ts": NUMBER}
REQUIRED = {
    "B": COMMON | {"cat": str},
    "E": COMMON,
    "C": COMMON | {"args": dict},
    "M": COMMON | {"args": dict},
}
METADATA = {
    "process_name": ("name", str), "process_labels": ("labels", str), "process_sort_index": ("sort_index", int),
    "thread_name": ("name", str), "thread_sort_index": ("sort_index", int),
}
FOLDED_LINE = re.compile(r"(.+) ([1-9][0-9]*)")
# flamegraph.pl takes a number after a blank at a stack's end for a second count.
SECOND_COUNT = re.compile(r".*\s\d+(\.\d*)?")


class Faults:
    """What breaks a rule: the first ones, and how many there are."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[str] = []

    def add(self, place: str, found: object, expected: str) -> None:
        self.count += 1
        if len(self.first) < MOST_FAULTS:
            self.first.append(f"{place}: found {found}, expected {expected}")


class Unreadable(Exception):
    """A file that is no document of its format at all; one line."""


@dataclass
class Thread:
    """Spans are (start, end, name, place in the file), times in nanoseconds."""

    names: list[str] = field(default_factory=list)
    spans: list[tuple[Decimal, Decimal, str, int]] = field(default_factory=list)
    # Those that have begun: start, name, place in the file.
    open: list[tuple[Decimal, str, int]] = field(default_factory=list)
    latest: Decimal = Decimal(0)
    depth: int = 0


class Trace:
    """A trace's threads and counters; reading it adds what breaks a rule to `faults`."""

    def __init__(self, path: str, faults: Faults) -> None:
        self.path, self.faults = path, faults
        self.threads: dict[tuple[int, int], Thread] = defaultdict(Thread)
        self.counters: Counter[str] = Counter()
        self.processes: dict[int, list[str]] = defaultdict(list)
        self.stacks: Counter[tuple[str, ...]] = Counter()
        document = self.load()
        self.check_head(document)
        for index, event in enumerate(document["traceEvents"]):
            self.check_event(index, event)
        self.check_threads()

    def load(self) -> dict:
        text = read(self.path)
        if "\x7f" in text:
            self.faults.add(self.path, "U+007F", "it escaped: Perfetto reads no file that has it in a string")
        try:
            document = json.loads(
                text, parse_float=Decimal, parse_constant=refuse_constant, object_pairs_hook=unique_members)
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"{self.path}: no JSON: {error}") from error
        if not isinstance(document, dict) or not isinstance(document.get("traceEvents"), list):
            raise Unreadable(f"{self.path}: found no array traceEvents, expected an object that has it")
        return document

    def check_head(self, document: dict) -> None:
        unit = document.get("displayTimeUnit", "ms")
        if unit not in ("ms", "ns"):
            self.faults.add(f"{self.path}: displayTimeUnit", repr(unit), "ms or ns")
        other = document.get("otherData", {})
        if not isinstance(other, dict):
            self.faults.add(f"{self.path}: otherData", type_name(other), "an object")
        elif isinstance(other.get("title"), str):
            self.check_text(f"{self.path}: otherData.title", other["title"])

    def check_event(self, index: int, event: object) -> None:
        place = f"{self.path}: traceEvents[{index}]"
        if not isinstance(event, dict):
            self.faults.add(place, type_name(event), "an object")
            return
        phase = event.get("ph")
        if phase not in REQUIRED:
            self.faults.add(f"{place}.ph", repr(phase), f"one of {', '.join(REQUIRED)}")
            return
        if not self.has_members(place, event, REQUIRED[phase]):
            return
        if event["ts"] < 0:
            self.faults.add(f"{place}.ts", event["ts"], "at least 0")
        elif phase in ("B", "E"):
            self.add_end_of_span(place, index, event)
        elif phase == "C":
            self.add_sample(place, event)
        else:
            self.add_metadata(place, event)

    def has_members(self, place: str, event: dict, required: dict) -> bool:
        """Whether all are there, of the right type; strings are checked for what readers stumble over."""
        for name, kinds in required.items():
            value = event.get(name)
            if isinstance(value, bool) or not isinstance(value, kinds):
                found = type_name(value) if name in event else "nothing"
                self.faults.add(f"{place}.{name}", found, kind_name(kinds))
                return False
            if kinds is str:
                self.check_text(f"{place}.{name}", value)
        return True

    def add_end_of_span(self, place: str, index: int, event: dict) -> None:
        """One end or the other: a thread's stand in the order of their times, and the innermost span ends first."""
        time, name = Decimal(event["ts"]) * 1000, event["name"]
        thread = self.threads[event["pid"], event["tid"]]
        if time < thread.latest:
            self.faults.add(f"{place}.ts", f"{time} ns", f"at least {thread.latest} ns, the thread's event before")
        thread.latest = max(thread.latest, time)
        if event["ph"] == "B":
            thread.open.append((time, name, index))
        elif not thread.open or thread.open[-1][1] != name:
            begun = f"'{thread.open[-1][1]}'" if thread.open else "none"
            self.faults.add(place, f"the end of '{name}'", f"that of the innermost span, {begun}")
        else:
            start, name, begin = thread.open.pop()
            thread.spans.append((start, time, name, begin))

    def add_sample(self, place: str, event: dict) -> None:
        series = event["args"]
        if not series:
            self.faults.add(f"{place}.args", "no series", "at least one")
        for name, value in series.items():
            if isinstance(value, bool) or not isinstance(value, NUMBER):
                self.faults.add(f"{place}.args.{name}", type_name(value), "a number")
        self.counters[event["name"]] += 1

    def add_metadata(self, place: str, event: dict) -> None:
        name = event["name"]
        if name not in METADATA:
            self.faults.add(f"{place}.name", repr(name), f"one of {', '.join(METADATA)}")
            return
        member, kind = METADATA[name]
        if not self.has_members(f"{place}.args", event["args"], {member: kind}):
            return
        if name == "process_name":
            self.processes[event["pid"]].append(event["args"]["name"])
        elif name == "thread_name":
            self.threads[event["pid"], event["tid"]].names.append(event["args"]["name"])

    def check_threads(self) -> None:
        for (pid, tid), thread in self.threads.items():
            place = f"{self.path}: thread {tid} of process {pid}"
            if len(thread.names) != 1:
                self.faults.add(place, f"{len(thread.names)} thread_name events", "one")
            if len(self.processes[pid]) != 1:
                self.faults.add(place, f"{len(self.processes[pid])} process_name events", "one")
            if thread.open:
                self.faults.add(place, f"{len(thread.open)} spans that do not end", "none")
            self.check_nesting(place, thread)

    def check_nesting(self, place: str, thread: Thread) -> None:
        """Any two spans of a thread nest or lie apart; adds up the time of each stack itself on the way."""
        # By start, outer ones first; spans of the same times in the file's order.
        thread.spans.sort(key=lambda span: (span[0], -span[1], span[3]))
        root = (thread.names or [""])[0]
        around: list[tuple[Decimal, tuple[str, ...], int]] = []
        for start, end, name, index in thread.spans:
            while around and around[-1][0] <= start:
                around.pop()
            if around and end > around[-1][0]:
                self.faults.add(
                    f"{self.path}: traceEvents[{index}] '{name}'", f"an end at {end} ns",
                    f"at most {around[-1][0]} ns, the end of traceEvents[{around[-1][2]}] that it starts in")
                continue
            outer = around[-1][1] if around else (harmless(root),)
            stack = (*outer, harmless(name))
            self.stacks[stack] += end - start
            if around:
                self.stacks[outer] -= end - start
            around.append((end, stack, index))
            thread.depth = max(thread.depth, len(around))

    def check_text(self, place: str, text: str) -> None:
        if any("\ud800" <= character <= "\udfff" for character in text):
            self.faults.add(place, "half a surrogate pair", "Unicode text")

    def summary(self) -> str:
        spans = [span for thread in self.threads.values() for span in thread.spans]
        length = max((end for _, end, _, _ in spans), default=Decimal(0)) / 1_000_000
        depth = max((thread.depth for thread in self.threads.values()), default=0)
        return (
            f"{self.path}: spans {len(spans)}, threads {len(self.threads)}, depth {depth}, end {length:.3f} ms, "
            f"counters {len(self.counters)}, samples {sum(self.counters.values())}")


def check_folded(path: str, trace: Trace, faults: Faults) -> str:
    """Checks the grammar line by line, then every stack's time against the trace's."""
    text = read(path)
    if text and not text.endswith("\n"):
        faults.add(path, "no line's end at the end", "one")
    stacks: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        place = f"{path}:{number}"
        match = FOLDED_LINE.fullmatch(line)
        if not match:
            faults.add(place, repr(line), "frames, a blank and an integer above 0")
            continue
        frames = tuple(match[1].split(";"))
        if "" in frames:
            faults.add(place, "a frame without a name", "names between ;")
        if SECOND_COUNT.fullmatch(match[1]):
            faults.add(place, "a blank and a number at the stack's end", "no second count for flamegraph.pl")
        if any(unicodedata.category(character) == "Cc" for character in line):
            faults.add(place, "a control character", "none")
        if frames in stacks:
            faults.add(place, "a stack that stands above", "each stack once")
        stacks[frames] = int(match[2])
    expected = {stack: time for stack, time in trace.stacks.items() if time != 0}
    for stack in sorted(stacks.keys() | expected.keys()):
        if stacks.get(stack, 0) != expected.get(stack, 0):
            faults.add(
                f"{path}: {';'.join(stack)}", f"{stacks.get(stack, 0)} ns",
                f"{expected.get(stack, Decimal(0)):f} ns, as the trace has it")
    return f"{path}: stacks {len(stacks)}, sum {sum(stacks.values()) / 1e6:.3f} ms"


def harmless(name: str) -> str:
    """A name as a frame of folded stacks."""
    return "".join(
        "_" if c == ";" or c.isspace() or unicodedata.category(c) == "Cc" else c for c in name) or "_"


def read(path: str) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8")
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path}: no UTF-8: {error}") from error


def refuse_constant(text: str) -> None:
    raise ValueError(f"found {text}, expected a finite number")


def unique_members(pairs: list[tuple[str, object]]) -> dict:
    members = dict(pairs)
    if len(members) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"found member '{twice}' twice in one object, expected it once")
    return members


def type_name(value: object) -> str:
    names = {
        type(None): "null", bool: "a boolean", int: "an integer", Decimal: "a number", str: "a string",
        list: "an array", dict: "an object",
    }
    return names[type(value)]


def kind_name(kinds: object) -> str:
    return {NUMBER: "a number", int: "an integer", str: "a string", dict: "an object"}[kinds]


def main(arguments: list[str]) -> int:
    if len(arguments) not in (1, 2) or arguments[0].startswith("-"):
        print("usage: check_trace.py TRACE.json [FOLDED]", file=sys.stderr)
        return 2
    faults = Faults()
    try:
        trace = Trace(arguments[0], faults)
        summaries = [trace.summary()]
        if len(arguments) == 2:
            summaries.append(check_folded(arguments[1], trace, faults))
    except Unreadable as error:
        print(f"check_trace.py: {error}", file=sys.stderr)
        return 1
    for fault in faults.first:
        print(f"check_trace.py: {fault}", file=sys.stderr)
    if faults.count > len(faults.first):
        print(f"check_trace.py: … and {faults.count - len(faults.first)} more", file=sys.stderr)
    if faults.count:
        return 1
    print("\n".join(summaries))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
