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

import contextlib
import ctypes
import datetime
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from kills import END_SECONDS, ENVIRONMENT, ROOT, Broken, Kills, Running, expect, limit_to, run_kills, temporaries

RUN = [
    "run", "-p", "4,16", "-n", "4", "-d", "1,32", "--variants", "naive,kv-cache,packed",
    "-t", "1", "-r", "12", "--budget", "0.15", "--timeout", "3", "--no-color",
]  # fmt: skip
CELLS = 3 * 4
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


class Run(Running):
    """A run that has been started. Its workers are known while it runs."""

    def __init__(
        self,
        program: str,
        folder: Path,
        name: str = "",
        limit: Callable[[], None] | None = None,
        model: str = "weights/tiny",
        preload: Path | None = None,
    ) -> None:
        self.workers: set[int] = set()
        words = [program, *RUN, "--model", model, "--out", str(folder / "out")]
        super().__init__(words, folder, name, limit, ENVIRONMENT | ({"LD_PRELOAD": str(preload)} if preload else {}))

    def look(self) -> None:
        self.workers.update(children(self.process.pid))

    def code(self) -> int:
        code = super().code()
        self.expect_no_orphans()
        return code

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


class KillsOfRuns(Kills):
    # Before its handlers are in place a signal ends a program as it ends any.
    EARLIEST = 0.1

    def another(
        self,
        name: str = "",
        limit: Callable[[], None] | None = None,
        model: str = "weights/tiny",
        preload: Path | None = None,
    ) -> Run:
        return Run(self.program, self.out.parent, name, limit, model, preload)

    def measure(self) -> Run:
        run = super().measure()
        expect(len(run.finished) == CELLS, "an undisturbed run has not reported all its cells")
        return run

    def record(self) -> dict:
        return json.loads((self.out / "record.json").read_text())

    def expect_whole(self) -> None:
        record = self.record()
        expect(record["isComplete"] and len(record["cells"]) == CELLS, "the record does not have all cells")
        expect(not temporaries(self.out), f"left {temporaries(self.out)}")

    def check_ended(self, run: Run, number: signal.Signals, code: int) -> None:
        is_kill = number == signal.SIGKILL
        self.check_record(run, is_complete=None if code == 0 or is_kill else False, lost=int(is_kill))
        if not is_kill:
            expect(not temporaries(self.out), f"left {temporaries(self.out)}")

    def check_record(self, run: Run, *, is_complete: bool | None, lost: int = 0) -> None:
        """
        - is_complete: what the record must say; None for a run that may have been at its end.
        - lost: cells that were reported last and need not be on disk.
        """
        path = self.out / "record.json"
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

    # --- kills that only runs have

    def of_worker(self, act: Callable[[int], object]) -> None:
        run = self.start()
        workers = children(run.process.pid) if run.wait_until(self.draw()) else []
        if not workers:
            self.expect_undisturbed(run)
            return
        victim = self.random.choice(workers)
        with contextlib.suppress(ProcessLookupError):
            act(victim)
        code = run.code()
        record = self.record()
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
        expect(not temporaries(self.out), f"left {temporaries(self.out)}")

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
        run = self.another(model=str(folder / "model"))
        if not run.wait_until(self.draw()):
            self.expect_undisturbed(run)
            return
        file = folder / "model/model.safetensors"
        os.truncate(file, file.stat().st_size // 2)
        code = run.code()
        expect(code in (0, 1), f"ended with {code}: {run.error[-300:]}")
        expect(len(run.errors) <= 1, f"{len(run.errors)} errors: {run.errors}")
        self.check_record(run, is_complete=None)

    def folder(self) -> None:
        """The record goes elsewhere, and the last line says where."""
        run = self.start()
        if not run.wait_until(self.draw(0.95)) or not (self.out / "record.json").exists():
            self.expect_undisturbed(run)
            return
        before = len(run.finished)
        # In one step: a removal file by file may leave a folder that the run writes into again.
        removed = self.out.rename(self.out.with_name("removed"))
        code = run.code()
        if code == 0:
            # It had written all before.
            expect(not self.out.exists(), "it made its folder anew")
            removed.rename(self.out)
            self.expect_whole()
            return
        expect(code == 1, f"ended with {code}")
        lines = run.errors
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

    def files(self) -> None:
        # Enough to start with, and for none or for some of the workers.
        self.failing(self.start(limit_to(resource.RLIMIT_NOFILE, self.random.randrange(4, 16))))

    def failing(self, run: Run) -> None:
        super().failing(run)
        self.check_record(run, is_complete=None, lost=CELLS)

    def clock(self) -> None:
        """Durations are of a clock that only runs forward."""
        folder = self.fresh()
        if not (preload := jumping_clock(folder)):
            print("clock: left out, there is no C compiler")
            return
        run = self.another(preload=preload)
        self.expect_undisturbed(run)
        expect(run.seconds < 3 * self.seconds + 10, "it took far longer than an undisturbed run")
        self.check_record(run, is_complete=True)
        record = self.record()
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


KINDS = [
    "kill", "term", "int", "hup", "worker", "stop", "memory", "truncate", "folder", "full", "limit", "files", "second",
    "clock",
]  # fmt: skip


def become_subreaper() -> None:
    """Orphans become this process's children, so that they can be told from others' processes."""
    if not sys.platform.startswith("linux"):
        sys.exit("kill_test.py: expected Linux, whose /proc it reads")
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


if __name__ == "__main__":
    run_kills("kill_test.py", KINDS, 26, KillsOfRuns, become_subreaper)
