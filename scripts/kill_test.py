#!/usr/bin/env python3
"""Ends runs of PROGRAM at random moments, in every way in which a run is ended, and looks at what is left.

    python3 scripts/kill_test.py PROGRAM [--kills N] [--seed S] [--kind KIND,…]

Each kill is of a run of the tiny model, one kind after the other:

    kill, term, int, hup     SIGKILL, SIGTERM, SIGINT, SIGHUP to the parent
    worker, stop             SIGKILL, SIGSTOP to one of its workers
    memory                   one of its workers gets no more memory
    truncate                 the model's file is cut to half while workers have it mapped
    folder                   the output folder is removed
    full                     the disk is full: a file system of a few KiB, where this user may mount one
    limit                    files may not grow beyond a few KiB (ulimit -f)
    files                    few files may be open (ulimit -n)
    second                   another run into the same folder
    clock                    the clock of the day jumps by up to a day at each look, where a C compiler is there

What is promised: cells whose end was reported are in the record, which `report` shows; a run that was ended early says
in it that it is incomplete; the exit code is right; an error is one line; nothing temporary is left in the folder; no
worker outlives its parent by more than a second. Needs Linux and Python alone.

Exit code: 0 where all is as promised, 1 otherwise, 2 for wrong use.
"""

import argparse
import contextlib
import ctypes
import datetime
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RUN = [
    "run", "-p", "4,16", "-n", "4", "-d", "1,32", "--variants", "naive,kv-cache,packed",
    "-t", "1", "-r", "12", "--budget", "0.15", "--timeout", "3", "--no-color",
]  # fmt: skip
CELLS = 3 * 4
ENVIRONMENT = os.environ | {
    "SWIFT_BACKTRACE": "enable=no",
    "GPT2_BENCH_CEILINGS": "brief",
    "GPT2_BENCH_BLAS": "",
    "GPT2_BENCH_HOME": str(ROOT),
}
JUMPING_CLOCK = """
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *now) {
  long result = syscall(SYS_clock_gettime, id, now);
  if (id == CLOCK_REALTIME && result == 0) now->tv_sec += random() % 172800 - 86400;
  return (int)result;
}
"""
#: A worker that outlives its parent by more than that is an orphan.
ORPHAN_SECONDS = 1.0
#: For a run to end, once it was asked to.
END_SECONDS = 120.0  # of a busy machine
FULL_BYTES = 24 << 10


class Broken(Exception):
    """A promise that was not kept."""


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)


# --- processes


def state(process: int) -> tuple[str, int] | None:
    """Its state's letter and its parent; nil where there is none."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    letter, parent = text.rsplit(")", 1)[1].split()[:2]
    return letter, int(parent)


def children(parent: int) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and (known := state(int(name))) and known[1] == parent and known[0] != "Z":
            found.append(int(name))
    return found


def is_alive(process: int) -> bool:
    known = state(process)
    return known is not None and known[0] not in "ZX"


class Running:
    """A run that has been started, with its output in files."""

    def __init__(
        self,
        program: str,
        folder: Path,
        name: str = "",
        limit: Callable[[], None] | None = None,
        model: str = "weights/tiny",
        preload: Path | None = None,
    ) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.error_path = folder / f"stderr{name}"
        with open(self.error_path, "wb") as errors, open(folder / f"stdout{name}", "wb") as output:
            self.process = subprocess.Popen(
                [program, *RUN, "--model", model, "--out", str(self.out)], cwd=ROOT, stdout=output, stderr=errors,
                env=ENVIRONMENT | ({"LD_PRELOAD": str(preload)} if preload else {}), stdin=subprocess.DEVNULL, preexec_fn=limit, start_new_session=True,
            )  # fmt: skip
        self.started = time.monotonic()
        self.workers: set[int] = set()

    def wait_until(self, seconds: float) -> bool:
        """Whether it still runs then. Its workers are known afterwards."""
        while time.monotonic() < self.started + seconds and self.process.poll() is None:
            self.workers.update(children(self.process.pid))
            time.sleep(0.01)
        self.workers.update(children(self.process.pid))
        return self.process.poll() is None

    def code(self) -> int:
        """How it ended; it is ended where it does not."""
        end = time.monotonic() + END_SECONDS
        while self.process.poll() is None:
            self.workers.update(children(self.process.pid))
            if time.monotonic() > end:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
                raise Broken(f"had not ended after {END_SECONDS:.0f} s")
            time.sleep(0.02)
        return self.process.returncode

    @property
    def error(self) -> str:
        return self.error_path.read_text(errors="replace")

    @property
    def finished(self) -> list[str]:
        """The cells whose end was reported, as `naive t1 pp4`."""
        return re.findall(r"^(\S.*): measured, n = \d+$", self.error, re.MULTILINE)

    def expect_no_orphans(self) -> None:
        end = time.monotonic() + ORPHAN_SECONDS
        while left := [worker for worker in self.workers if is_alive(worker)]:
            if time.monotonic() > end:
                for worker in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(worker, signal.SIGKILL)
                raise Broken(
                    f"{len(left)} of {len(self.workers)} workers outlived it by more than {ORPHAN_SECONDS:.0f} s"
                )
            time.sleep(0.02)


# --- what is left


def report_of(program: str, path: Path) -> str:
    done = subprocess.run([program, "report", str(path)], capture_output=True, env=ENVIRONMENT, cwd=ROOT, text=True)
    expect(done.returncode == 0, f"report {path.name} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def temporaries(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(".*")) if folder.is_dir() else []


def error_lines(run: Running) -> list[str]:
    """What is no progress."""
    return [line for line in run.error.splitlines() if line.startswith("gpt2-bench:")]


class Kills:
    def __init__(self, program: str, work: Path, seed: int) -> None:
        self.program = program
        self.work = work
        self.random = random.Random(seed)
        self.seconds = 0.0
        self.moment = 0.0

    def measure(self) -> None:
        """How long an undisturbed run takes: moments are drawn from that."""
        run = Running(self.program, self.fresh())
        expect(run.code() == 0, f"an undisturbed run ended with {run.process.returncode}: {run.error}")
        self.seconds = time.monotonic() - run.started
        record = json.loads((run.out / "record.json").read_text())
        expect(len(record["cells"]) == CELLS == len(run.finished), "an undisturbed run has not reported all its cells")
        run.expect_no_orphans()

    def fresh(self) -> Path:
        shutil.rmtree(self.work / "run", ignore_errors=True)
        folder = self.work / "run"
        folder.mkdir(parents=True)
        return folder

    def draw(self, share: float = 1.0) -> float:
        # Before its handlers are in place a signal ends a program as it ends any.
        self.moment = 0.1 + self.random.random() * self.seconds * share
        return self.moment

    def check_record(self, run: Running, *, is_complete: bool | None, lost: int = 0) -> None:
        """
        - is_complete: what the record must say; None for a run that may have been at its end.
        - lost: cells that were reported last and need not be on disk.
        """
        path = run.out / "record.json"
        reported = run.finished[: len(run.finished) - lost] if lost else run.finished
        if not path.exists():
            expect(not reported, f"no record, though {len(reported)} cells had ended")
            return
        text = report_of(self.program, path)
        record = json.loads(path.read_text())
        measured = [cell for cell in record["cells"] if cell["status"] == "measured" and cell["samples"]]
        expect(len(measured) >= len(reported), f"{len(measured)} measured cells on disk, {len(reported)} were reported")
        if is_complete is not None:
            expect(record["isComplete"] == is_complete, f"isComplete is {record['isComplete']}")
        if not record["isComplete"]:
            expect("incomplete" in text.lower(), "the report does not say that the run is incomplete")

    # --- one kill of each kind

    def signalled(self, number: signal.Signals, codes: set[int]) -> None:
        run = Running(self.program, self.fresh())
        if not run.wait_until(self.draw(1.05)):
            return
        os.kill(run.process.pid, number)
        code = run.code()
        run.expect_no_orphans()
        is_kill = number == signal.SIGKILL
        # It may have been at its end.
        expect(code in codes | ({0} if not is_kill else set()), f"ended with {code}, expected {sorted(codes)}")
        self.check_record(run, is_complete=None if code == 0 or is_kill else False, lost=int(is_kill))
        if not is_kill:
            expect(not temporaries(run.out), f"left {temporaries(run.out)}")

    def kill(self) -> None:
        self.signalled(signal.SIGKILL, {-signal.SIGKILL})

    def term(self) -> None:
        self.signalled(signal.SIGTERM, {130, 143})

    def int(self) -> None:
        self.signalled(signal.SIGINT, {130})

    def hup(self) -> None:
        self.signalled(signal.SIGHUP, {129, 130})

    def of_worker(self, act: Callable[[int], object]) -> None:
        run = Running(self.program, self.fresh())
        if not run.wait_until(self.draw()):
            return
        workers = children(run.process.pid)
        if not workers:
            run.code()
            return
        victim = self.random.choice(workers)
        with contextlib.suppress(ProcessLookupError):
            act(victim)
        code = run.code()
        run.expect_no_orphans()
        record = json.loads((run.out / "record.json").read_text())
        # A worker that loads cells alone, or is on its way out, may be nobody's loss.
        lost = [cell for cell in record["cells"] if cell["status"] in ("died", "hung", "skipped")]
        noted = "no profile" in run.error
        expect(
            code == (1 if lost or noted else 0),
            f"ended with {code}, with {len(lost)} cells lost{', and a profile' * noted}",
        )
        expect(len({cell["variant"] for cell in lost}) <= 1, "cells of several variants were lost")
        expect(all(cell.get("message") for cell in lost), "a lost cell does not say why")
        self.check_record(run, is_complete=True)
        expect(not temporaries(run.out), f"left {temporaries(run.out)}")

    def worker(self) -> None:
        self.of_worker(lambda victim: os.kill(victim, signal.SIGKILL))

    def stop(self) -> None:
        self.of_worker(lambda victim: os.kill(victim, signal.SIGSTOP))

    def memory(self) -> None:
        # Less than it has: what it maps from now on is refused.
        self.of_worker(lambda victim: resource.prlimit(victim, resource.RLIMIT_AS, (1 << 20, 1 << 20)))

    def truncate(self) -> None:
        folder = self.fresh()
        shutil.copytree(ROOT / "weights/tiny", folder / "model")
        run = Running(self.program, folder, model=str(folder / "model"))
        if run.wait_until(self.draw()):
            file = folder / "model/model.safetensors"
            os.truncate(file, file.stat().st_size // 2)
        code = run.code()
        run.expect_no_orphans()
        expect(code in (0, 1), f"ended with {code}: {run.error[-300:]}")
        expect(len(error_lines(run)) <= 1, f"{len(error_lines(run))} errors: {error_lines(run)}")
        self.check_record(run, is_complete=None)

    def folder(self) -> None:
        """The record goes elsewhere, and the last line says where."""
        run = Running(self.program, self.fresh())
        if not run.wait_until(self.draw(0.95)) or not (run.out / "record.json").exists():
            run.code()
            return
        before = len(run.finished)
        shutil.rmtree(run.out, ignore_errors=True)
        code = run.code()
        run.expect_no_orphans()
        if code == 0 and (run.out / "record.json").exists():
            # It made its folder anew.
            self.check_record(run, is_complete=True)
            return
        expect(code == 1, f"ended with {code}")
        lines = error_lines(run)
        expect(len(lines) == 1, f"{len(lines)} errors: {lines}")
        places = [Path(word.strip("'\",;:()")) for word in lines[0].split() if ".json" in word]
        kept = [path for path in places if (ROOT / path).is_file()]
        expect(bool(kept), f"no record is left, and none is named: {lines[0]}")
        text = report_of(self.program, ROOT / kept[0])
        record = json.loads((ROOT / kept[0]).read_text())
        (ROOT / kept[0]).unlink()
        measured = [cell for cell in record["cells"] if cell["status"] == "measured"]
        expect(len(measured) >= before, f"{len(measured)} measured cells were kept, {before} were reported")
        expect(
            record["isComplete"] or "incomplete" in text.lower(), "the report does not say that the run is incomplete"
        )

    def full(self) -> None:
        folder = self.fresh()
        (folder / "out").mkdir()
        if not mount_small(folder / "out"):
            print("full: left out, this user may mount no file system")
            return
        try:
            self.failing(Running(self.program, folder))
        finally:
            subprocess.run(["umount", str(folder / "out")], check=False)

    def limit(self) -> None:
        self.failing(Running(self.program, self.fresh(), limit=limit_to(resource.RLIMIT_FSIZE, FULL_BYTES)))

    def files(self) -> None:
        # Enough to start with, and for none or for some of the workers.
        self.failing(
            Running(self.program, self.fresh(), limit=limit_to(resource.RLIMIT_NOFILE, self.random.randrange(4, 16)))
        )

    def failing(self, run: Running) -> None:
        """A run that cannot write, or open, what it must."""
        self.moment = 0
        code = run.code()
        run.expect_no_orphans()
        expect(code == 1, f"ended with {code}: {run.error[-300:]}")
        expect(len(error_lines(run)) <= 1, f"{len(error_lines(run))} errors: {error_lines(run)}")
        expect(not temporaries(run.out), f"left {temporaries(run.out)}")
        self.check_record(run, is_complete=None, lost=CELLS)

    def second(self) -> None:
        first = Running(self.program, self.fresh())
        # Early enough for the first to run on while the second looks at the folder.
        if not first.wait_until(self.draw(0.5)) or not first.out.exists():
            first.code()
            return
        other = Running(self.program, first.folder, name="-second")
        other_code = other.code()
        code = first.code()
        first.expect_no_orphans()
        other.expect_no_orphans()
        expect(code == 0, f"the first run ended with {code}: {first.error[-300:]}")
        expect(other_code in (1, 2), f"the second run ended with {other_code}")
        expect(str(first.out) in "".join(error_lines(other)), f"the folder is not named: {error_lines(other)}")
        record = json.loads((first.out / "record.json").read_text())
        expect(record["isComplete"] and len(record["cells"]) == CELLS, "the first run's record is gone")

    def clock(self) -> None:
        """Durations are of a clock that only runs forward."""
        folder = self.fresh()
        if not (preload := jumping_clock(folder)):
            print("clock: left out, there is no C compiler")
            return
        run = Running(self.program, folder, preload=preload)
        code = run.code()
        run.expect_no_orphans()
        expect(code == 0, f"ended with {code}: {run.error[-300:]}")
        expect(time.monotonic() - run.started < 3 * self.seconds + 10, "it took far longer than an undisturbed run")
        self.check_record(run, is_complete=True)
        record = json.loads((run.out / "record.json").read_text())
        day = [datetime.datetime.fromisoformat(record[name]) for name in ("started", "finished")]
        expect(abs(day[1] - day[0]).total_seconds() > END_SECONDS, "the clock did not jump")
        for sample in (sample for cell in record["cells"] for sample in cell["samples"]):
            times = [sample["elapsedNanoseconds"], *sample["tokenNanoseconds"]]
            expect(all(0 < value < 1e9 * END_SECONDS for value in times), f"a sample's times are {times}")


def jumping_clock(folder: Path) -> Path | None:
    """A library to preload; what it changes is the clock of the day alone. Nil without a compiler."""
    compiler = next((found for name in ("cc", "clang", "gcc") if (found := shutil.which(name))), None)
    if not compiler:
        return None
    source, library = folder / "clock.c", folder / "clock.so"
    source.write_text(JUMPING_CLOCK)
    done = subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source)], check=False)
    return library if done.returncode == 0 else None


def mount_small(folder: Path) -> bool:
    """A file system of a few KiB, where this process may mount one."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        return False
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={FULL_BYTES}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    return done.returncode == 0


def limit_to(what: int, value: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(what, (value, value))


KINDS = [
    "kill", "term", "int", "hup", "worker", "stop", "memory", "truncate", "folder", "full", "limit", "files", "second",
    "clock",
]  # fmt: skip


def run_kills(
    script: str, kinds: list[str], default: int, begin: Callable[[str, Path, int], Any],
    prepare: Callable[[], None] = lambda: None,
) -> None:
    """The command line of a script that kills: one kind after the other, by the methods of what `begin` makes."""
    parser = argparse.ArgumentParser(usage=f"{script} PROGRAM [options], as its first lines say", allow_abbrev=False)
    parser.add_argument("program")
    parser.add_argument("--kills", type=int, default=default)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", type=lambda text: text.split(","), default=kinds)
    options = parser.parse_args()
    if not os.access(options.program, os.X_OK) or not set(options.kind) <= set(kinds):
        parser.error(f"expected a program, and kinds among {','.join(kinds)}")
    prepare()
    broken: list[str] = []
    with tempfile.TemporaryDirectory(prefix="kills-") as work:
        kills = begin(os.path.abspath(options.program), Path(work), options.seed)
        kills.measure()
        for number in range(options.kills):
            kind = options.kind[number % len(options.kind)]
            try:
                getattr(kills, kind)()
            except Broken as problem:
                broken.append(f"{kind} {number} at {kills.moment:.2f} of {kills.seconds:.2f} s: {problem}")
                print(f"BROKEN {broken[-1]}", flush=True)
    print(f"{options.kills} kills, {len(broken)} broken promises")
    if broken:
        sys.exit(1)


def become_subreaper() -> None:
    """Orphans become this process's children, so that they can be told from others' processes."""
    if not sys.platform.startswith("linux"):
        sys.exit("kill_test.py: expected Linux, whose /proc it reads")
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


if __name__ == "__main__":
    run_kills("kill_test.py", KINDS, 26, Kills, become_subreaper)
