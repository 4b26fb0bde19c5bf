#!/usr/bin/env python3
"""Ends trainings by PROGRAM at random moments, and takes them up again.

    python3 scripts/kill_training.py PROGRAM [--kills N] [--seed S] [--kind KIND,…]

Each kill is of a training of a tiny model, one kind after the other:

    kill, term, int, hup     SIGKILL, SIGTERM, SIGINT, SIGHUP
    folder                   the output folder is removed
    limit                    files may not grow beyond a few KiB (ulimit -f)
    full                     the disk is full: a file system of a few KiB, where this user may mount one
    second                   another training into the same folder

What is promised: whatever ends a training, `--resume` goes on from its last checkpoint, and ends with the same bits as
one that nothing has disturbed; the exit code is right; an error is one line; nothing temporary is left in the folder.
Needs Python alone.

Exit code: 0 where all is as promised, 1 otherwise, 2 for wrong use.
"""

import random
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from kill_test import (
    END_SECONDS,
    ENVIRONMENT,
    FULL_BYTES,
    ROOT,
    Broken,
    expect,
    limit_to,
    mount_small,
    run_kills,
    temporaries,
)

STEPS = 600
TRAINING = [
    "train", "--data", "weights/dialogue.txt", "--layers", "1", "--heads", "2", "--channels", "32", "--context", "32",
    "--vocabulary-size", "300", "--batch", "4", "--dropout", "0.1", "--steps", str(STEPS), "--checkpoint-every", "20",
    "--evaluate-every", "200", "-t", "1", "--no-color",
]  # fmt: skip
FILES = [
    "config.json", "merges.txt", "model.safetensors", "training-state.safetensors", "training.csv", "training.html",
    "vocab.json",
]  # fmt: skip
STATE, MODEL, HISTORY = "training-state.safetensors", "model.safetensors", "training.csv"


class Running:
    """A training that has been started, with its errors in a file."""

    def __init__(self, program: str, folder: Path, words: list[str], limit: Callable[[], None] | None = None) -> None:
        self.error_path = folder / f"stderr-{time.monotonic_ns()}"
        with open(self.error_path, "wb") as errors:
            self.process = subprocess.Popen(
                [program, *words], cwd=ROOT, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=errors, preexec_fn=limit,
            )  # fmt: skip
        self.started = time.monotonic()

    def wait_until(self, seconds: float) -> bool:
        """Whether it still runs then."""
        try:
            self.process.wait(max(self.started + seconds - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            return True
        return False

    def code(self) -> int:
        try:
            return self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Broken(f"had not ended after {END_SECONDS:.0f} s") from None

    @property
    def errors(self) -> list[str]:
        """What is no progress."""
        lines = self.error_path.read_text(errors="replace").splitlines()
        return [line for line in lines if line.startswith("gpt2-bench:")]


class Kills:
    def __init__(self, program: str, work: Path, seed: int) -> None:
        self.program = program
        self.work = work
        self.random = random.Random(seed)
        self.seconds = 0.0
        self.moment = 0.0
        #: Of a training that nothing has disturbed.
        self.model = b""

    def measure(self) -> None:
        run = self.start()
        expect(run.code() == 0, f"an undisturbed training ended with {run.process.returncode}: {run.errors}")
        self.seconds = time.monotonic() - run.started
        self.model = (self.out / MODEL).read_bytes()
        self.expect_whole()

    @property
    def out(self) -> Path:
        return self.work / "run/out"

    def start(self, limit: Callable[[], None] | None = None) -> Running:
        """In a folder where nothing is."""
        shutil.rmtree(self.work / "run", ignore_errors=True)
        self.work.joinpath("run").mkdir(parents=True)
        return self.another(limit)

    def another(self, limit: Callable[[], None] | None = None) -> Running:
        return Running(self.program, self.work / "run", [*TRAINING, "--out", str(self.out)], limit)

    def draw(self) -> float:
        self.moment = self.random.random() * self.seconds * 1.05
        return self.moment

    def expect_whole(self) -> None:
        found = sorted(path.name for path in self.out.iterdir())
        expect(found == FILES, f"the folder holds {found}")
        expect((self.out / MODEL).read_bytes() == self.model, "the model is not that of an undisturbed training")
        steps = len((self.out / HISTORY).read_text().splitlines()) - 1
        expect(steps == STEPS, f"{HISTORY} has {steps} steps, expected {STEPS}")

    def resume(self) -> None:
        """Where there is a checkpoint it is good, and leads to the same bits."""
        if not (self.out / STATE).exists():
            return
        run = Running(self.program, self.work / "run", ["train", "--resume", str(self.out)])
        code = run.code()
        # Where all was written before it ended there is nothing to do.
        is_done = code == 2 and f"{STEPS} steps done" in "".join(run.errors)
        expect(code == 0 or is_done, f"--resume ended with {code}: {run.errors}")
        self.expect_whole()

    # --- one kill of each kind

    def signalled(self, number: signal.Signals, code: int) -> None:
        run = self.start()
        if not run.wait_until(self.draw()):
            return
        had_begun = (self.out / STATE).exists()
        run.process.send_signal(number)
        found = run.code()
        # It may have been at its end, or not yet have had its handlers.
        wanted = {code, 0} | (set() if had_begun else {-number})
        expect(found in wanted, f"ended with {found}, expected {sorted(wanted)}")
        if number != signal.SIGKILL and found == code:
            expect((self.out / STATE).exists(), "it left no checkpoint")
            expect(not temporaries(self.out), f"left {temporaries(self.out)}")
        self.resume()

    def kill(self) -> None:
        self.signalled(signal.SIGKILL, -signal.SIGKILL)

    def term(self) -> None:
        self.signalled(signal.SIGTERM, 143)

    def int(self) -> None:
        self.signalled(signal.SIGINT, 130)

    def hup(self) -> None:
        self.signalled(signal.SIGHUP, 129)

    def folder(self) -> None:
        """The next checkpoint makes it anew."""
        run = self.start()
        if not run.wait_until(self.draw()) or not (self.out / STATE).exists():
            run.code()
            return
        # With whatever is being written.
        self.out.rename(self.work / "run/gone")
        code = run.code()
        expect(code == 0 and not run.errors, f"ended with {code}: {run.errors}")
        # It went after the last checkpoint, or was made anew.
        if self.out.exists():
            self.expect_whole()

    def limit(self) -> None:
        self.failing(self.start(limit_to(resource.RLIMIT_FSIZE, FULL_BYTES)))

    def full(self) -> None:
        shutil.rmtree(self.work / "run", ignore_errors=True)
        self.out.mkdir(parents=True)
        if not mount_small(self.out):
            print("full: left out, this user may mount no file system")
            return
        try:
            self.failing(self.another())
        finally:
            subprocess.run(["umount", str(self.out)], check=False)

    def failing(self, run: Running) -> None:
        """A training that cannot write its checkpoint."""
        self.moment = 0
        code = run.code()
        expect(code == 1, f"ended with {code}: {run.errors}")
        expect(len(run.errors) == 1, f"{len(run.errors)} errors: {run.errors}")
        expect("there is no checkpoint yet" in run.errors[0], f"it does not say what is left: {run.errors[0]}")
        expect(not temporaries(self.out), f"left {temporaries(self.out)}")

    def second(self) -> None:
        first = self.start()
        if not first.wait_until(self.draw() * 0.5) or not self.out.exists():
            first.code()
            return
        other = self.another()
        expect(other.code() in (1, 2), f"the second training ended with {other.process.returncode}")
        expect(str(self.out) in "".join(other.errors), f"the folder is not named: {other.errors}")
        expect(first.code() == 0, f"the first training ended with {first.process.returncode}: {first.errors}")
        self.expect_whole()


KINDS = ["kill", "term", "int", "hup", "folder", "limit", "full", "second"]


if __name__ == "__main__":
    run_kills("kill_training.py", KINDS, 24, Kills)
