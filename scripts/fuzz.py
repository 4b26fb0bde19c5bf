#!/usr/bin/env python3
"""Gives every reader of PROGRAM inputs that are nearly right, and expects a result or a refusal of each.

    python3 scripts/fuzz.py PROGRAM READERS [--seed S] [--inputs N | --seconds S] [--reader NAME,…] [--first N]
                            [--jobs J] [--every E] [--keep DIR] [--memory GIB] [--limit S]

PROGRAM is a built gpt2-bench, READERS the built fuzz-readers (`swift build --product fuzz-readers`), which reads one
input after the other in one process: a million take minutes. Every E-th input (default 200) goes the whole way through
PROGRAM too. Workers, chats, suites and command lines are PROGRAM's alone.

What is promised: no signal, no trap, an end within the limit (default 20 s) and within --memory of address space
(default 4 GiB, 0 for no limit; sanitizers need that); of PROGRAM also an exit code from 0 to 5, and for an error at
most one line on standard error, in UTF-8, without control characters, not longer than 4,000 bytes.

An input depends on the seed, the reader's name and its number alone: `--reader NAME --first NUMBER --inputs 1` makes
it again, and --keep DIR (default .build/fuzz-faults) keeps those that broke a promise. Needs only Python.

Exit code: 0 where all is as promised, 1 otherwise, 2 for wrong use.
"""

import argparse
import collections
import concurrent.futures
import os
import random
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from fuzz_processes import Fault, Limits, Quit, ReadersProcess, WorkerProcess, run_program
from fuzz_readers import Input, Reader, all_readers

ROOT = Path(__file__).resolve().parent.parent
#: Inputs of a reader that one process of this script tries before it takes other ones.
PORTION = 1000
#: Faults of one kind that are kept and shown.
SHOWN = 3


@dataclass
class Found:
    """What a portion of inputs came to."""

    reader: str
    inputs: int = 0
    taken: int = 0
    refused: int = 0
    whole: int = 0
    faults: list[tuple[int, Fault]] = field(default_factory=list)


@dataclass(frozen=True)
class Settings:
    program: str
    readers: str
    seed: int
    every: int
    keep: str
    limits: Limits


class Portion:
    """Some inputs of one reader, in a folder of their own."""

    def __init__(self, settings: Settings, reader: Reader, folder: Path) -> None:
        self.settings = settings
        self.reader = reader
        self.folder = folder
        self.found = Found(reader.name)
        self.process: ReadersProcess | WorkerProcess | None = None
        (folder / "home/Benchmarks/suites").mkdir(parents=True)
        for name, content in reader.files.items():
            self.write(name, content)

    def write(self, name: str, content: bytes | None) -> None:
        path = self.folder / name
        if content is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def run(self, first: int, last: int) -> Found:
        try:
            for number in range(first, last):
                made = self.reader.make(random.Random(f"{self.settings.seed}/{self.reader.name}/{number}"))
                for name, content in made.files.items():
                    self.write(name, content)
                try:
                    self.try_one(made, number)
                except Quit:
                    self.stop()
                except Fault as fault:
                    self.stop()
                    self.keep(made, number, fault)
                self.found.inputs += made.count
                for name in made.files:
                    self.write(name, self.reader.files.get(name))
        finally:
            self.stop()
        return self.found

    def try_one(self, made: Input, number: int) -> None:
        settings, limits = self.settings, self.settings.limits
        if self.reader.is_worker:
            if self.process is None:
                self.process = WorkerProcess(settings.program, self.folder, limits)
            self.count(self.process.ask(made.text))
            return
        if made.request:
            if self.process is None:
                self.process = ReadersProcess(settings.readers, self.folder, limits)
            self.count(self.process.ask(made.request))
        if made.words and (not made.request or number % settings.every == 0):
            code = run_program(
                settings.program, made.words, made.text, self.folder, limits, is_terminal=self.reader.is_terminal
            )
            self.found.whole += made.count
            if not made.request:
                self.count(code == 0)

    def count(self, is_taken: bool) -> None:
        if is_taken:
            self.found.taken += 1
        else:
            self.found.refused += 1

    def stop(self) -> None:
        if self.process:
            self.process.stop()
        self.process = None

    def keep(self, made: Input, number: int, fault: Fault) -> None:
        self.found.faults.append((number, fault))
        if sum(other.kind == fault.kind for _, other in self.found.faults) > SHOWN:
            return
        folder = Path(self.settings.keep) / f"{self.reader.name}-{number}"
        for name, content in made.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content or b"")
        folder.mkdir(parents=True, exist_ok=True)
        if made.text:
            (folder / "standard-input").write_bytes(made.text)
        (folder / "fault.txt").write_text(
            f"seed {self.settings.seed}, reader {self.reader.name}, number {number}\nasked {made.request}\n"
            f"words {made.words}\n{fault.kind}\n{fault.detail}\n"
        )


def run_portion(settings: Settings, reader: str, first: int, last: int) -> Found:
    """In a process of its own."""
    known = {own.name: own for own in all_readers()}
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=shared, prefix="fuzz-") as folder:
        return Portion(settings, known[reader], Path(folder)).run(first, last)


def portions(readers: list[Reader], inputs: int | None, first: int):
    """Reader and range of each portion: so many inputs in all, or without an end, each reader its share."""
    total = sum(reader.share for reader in readers)
    rounds = collections.Counter[str]()
    if inputs is None:
        while True:
            for reader in readers:
                # So that a round takes a few seconds of each.
                size = max(int(PORTION * reader.share / 200), 5)
                start = first + rounds[reader.name]
                rounds[reader.name] += size
                yield reader.name, start, start + size
    for reader in sorted(readers, key=lambda reader: reader.share):
        # An input of some readers holds several.
        held = reader.make(random.Random(0)).count
        count = -(-round(inputs * reader.share / total) // held) if len(readers) > 1 else -(-inputs // held)
        size = max(PORTION // held, 50) if reader.share > 20 else 50
        for start in range(0, count, size):
            yield reader.name, first + start, first + min(start + size, count)


def parsed(arguments: list[str], names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        usage="fuzz.py PROGRAM READERS [options], as its first lines say", allow_abbrev=False
    )
    parser.add_argument("program")
    parser.add_argument("readers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inputs", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--reader", type=lambda text: text.split(","), default=names)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--every", type=int, default=200)
    parser.add_argument("--keep", default=str(ROOT / ".build/fuzz-faults"))
    parser.add_argument("--memory", type=float, default=4)
    parser.add_argument("--limit", type=float, default=20)
    options = parser.parse_args(arguments)
    for name in options.reader:
        if name not in names:
            parser.error(f"--reader: found '{name}', expected some of {','.join(names)}")
    for path in (options.program, options.readers):
        if not os.access(path, os.X_OK):
            parser.error(f"found '{path}', expected a program")
    if options.inputs is None and options.seconds is None:
        options.seconds = 60
    return options


def results(settings: Settings, options: argparse.Namespace, readers: list[Reader]):
    """What each portion came to, as it ends; `--jobs` at once."""
    end = time.monotonic() + options.seconds if options.seconds else None
    left = portions(readers, options.inputs, options.first)
    running: set[concurrent.futures.Future[Found]] = set()
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        while True:
            while len(running) < options.jobs and (end is None or time.monotonic() < end):
                portion = next(left, None)
                if portion is None:
                    break
                running.add(pool.submit(run_portion, settings, *portion))
            if not running:
                return
            done, running = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                yield future.result()


def kind_of(fault: Fault) -> str:
    """The same for faults that are likely one: numbers and names left out."""
    first = fault.detail.split("\n")[0]
    if fault.kind in ("lines", "length", "encoding", "unclean", "answer"):
        first = first.split(":")[0]
    return fault.kind + ": " + re.sub(r"'[^']*'|\"[^\"]*\"|U\+\w+|\d+", "#", first)[:200]


def main() -> None:
    known = all_readers()
    options = parsed(sys.argv[1:], [reader.name for reader in known])
    readers = [reader for reader in known if reader.name in options.reader]
    settings = Settings(
        os.path.abspath(options.program), os.path.abspath(options.readers), options.seed, options.every,
        os.path.abspath(options.keep), Limits(options.limit, int(options.memory * 2**30)),
    )  # fmt: skip
    started = time.monotonic()
    total: dict[str, Found] = {reader.name: Found(reader.name) for reader in readers}
    kinds = collections.Counter[str]()
    for found in results(settings, options, readers):
        own = total[found.reader]
        for name in ("inputs", "taken", "refused", "whole"):
            setattr(own, name, getattr(own, name) + getattr(found, name))
        own.faults += found.faults
        for number, fault in found.faults:
            kind = f"{found.reader}: {kind_of(fault)}"
            kinds[kind] += 1
            if kinds[kind] <= SHOWN:
                print(
                    f"FAULT {found.reader} {number} (seed {options.seed}): {fault.kind}: {fault.detail}"[:2000],
                    flush=True,
                )
    print(f"{'reader':<14}{'inputs':>10}{'taken':>10}{'refused':>10}{'whole':>8}{'faults':>8}")
    for own in total.values():
        print(f"{own.reader:<14}{own.inputs:>10}{own.taken:>10}{own.refused:>10}{own.whole:>8}{len(own.faults):>8}")
    inputs = sum(own.inputs for own in total.values())
    print(f"{inputs} inputs, {sum(kinds.values())} faults of {len(kinds)} kinds, {time.monotonic() - started:.0f} s")
    for kind, count in kinds.most_common():
        print(f"{count:>8}  {kind}")
    # What is never taken is refused for one and the same reason: nothing after that was tried.
    idle = [own.reader for own in total.values() if own.inputs >= 300 and not own.taken]
    if idle:
        print(f"no input was taken of {', '.join(idle)}: their valid ones are not")
    if kinds:
        print(f"kept in {settings.keep}")
    if kinds or idle:
        sys.exit(1)


if __name__ == "__main__":
    main()
