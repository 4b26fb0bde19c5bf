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

import signal
from collections.abc import Callable

from kills import Kills, Running, expect, run_kills, temporaries

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


class KillsOfTrainings(Kills):
    #: Of the first training, which nothing disturbs: all others are held against it.
    model = b""

    def another(self, name: str = "", limit: Callable[[], None] | None = None) -> Running:
        return Running([self.program, *TRAINING, "--out", str(self.out)], self.out.parent, name, limit)

    def expect_whole(self) -> None:
        found = sorted(path.name for path in self.out.iterdir())
        expect(found == FILES, f"the folder holds {found}")
        model = (self.out / MODEL).read_bytes()
        self.model = self.model or model
        expect(model == self.model, "the model is not that of an undisturbed training")
        steps = len((self.out / HISTORY).read_text().splitlines()) - 1
        expect(steps == STEPS, f"{HISTORY} has {steps} steps, expected {STEPS}")

    def resume(self) -> None:
        """Where there is a checkpoint it is good, and leads to the same bits."""
        if not (self.out / STATE).exists():
            return
        run = Running([self.program, "train", "--resume", str(self.out)], self.out.parent, "-resumed")
        code = run.code()
        # Where all was written before it ended there is nothing to do.
        is_done = code == 2 and f"{STEPS} steps done" in "".join(run.errors)
        expect(code == 0 or is_done, f"--resume ended with {code}: {run.errors}")
        self.expect_whole()

    def answers_signals(self) -> bool:
        return (self.out / STATE).exists()

    def check_ended(self, run: Running, number: signal.Signals, code: int) -> None:
        if code == 128 + number:
            expect((self.out / STATE).exists(), "it left no checkpoint")
            expect(not temporaries(self.out), f"left {temporaries(self.out)}")
        self.resume()

    def folder(self) -> None:
        """The next checkpoint makes it anew."""
        run = self.start()
        if not run.wait_until(self.draw()) or not (self.out / STATE).exists():
            self.expect_undisturbed(run)
            return
        # With whatever is being written.
        self.out.rename(self.work / "run/gone")
        code = run.code()
        expect(code == 0 and not run.errors, f"ended with {code}: {run.errors}")
        # It went after the last checkpoint, or was made anew.
        if self.out.exists():
            self.expect_whole()

    def failing(self, run: Running) -> None:
        """Its first checkpoint is what it cannot write."""
        super().failing(run)
        expect("; there is no checkpoint yet" in "".join(run.errors), f"it does not say what is left: {run.errors}")


KINDS = ["kill", "term", "int", "hup", "folder", "limit", "full", "second"]


if __name__ == "__main__":
    run_kills("kill_training.py", KINDS, 24, KillsOfTrainings)
