#!/usr/bin/env python3
"""Ends trainings of PROGRAM at random moments, resumes them, and compares what they end with.

    python3 scripts/kill_train.py PROGRAM [--kills N] [--seed S]

One training of a tiny model on weights/dialogue.txt runs unbroken. Others are the same, on one thread or two, and are
ended: three of four kills are SIGKILL, the others SIGINT. A third of the resumed trainings is ended too. Each goes on
with `train --resume` until it is done.

What is promised: the folder then has the same bits as that of the unbroken training: the model, and in the
checkpoint parameters, both moments and the number of steps. SIGINT ends with exit code 130, and the step that it names
is in the checkpoint. A resumed training that has nothing left to do is refused with exit code 2. Needs Python alone.

Exit code: 0 where all is as promised, 1 otherwise, 2 for wrong use.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRAINING = [
    "--data", "weights/dialogue.txt", "--layers", "2", "--heads", "2", "--channels", "48", "--context", "48",
    "--vocabulary-size", "400", "--batch", "8", "--dropout", "0.1", "--steps", "420", "--evaluate-every", "35",
    "--checkpoint-every", "7",
]  # fmt: skip
STATE = "training-state.safetensors"
ENVIRONMENT = os.environ | {"SWIFT_BACKTRACE": "enable=no", "GPT2_BENCH_HOME": str(ROOT)}
#: For a training to end by itself, on a busy machine.
END_SECONDS = 300.0
#: A process that is hardly started has no handlers yet: a signal ends it as it ends any.
START_SECONDS = 0.05


class Broken(Exception):
    """A promise that was not kept."""


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)


def tensors(path: Path) -> tuple[dict[str, bytes], int]:
    """A checkpoint's tensors but for what tells of times and commands, and its number of steps."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    values = {name: data[8 + length + entry["data_offsets"][0] : 8 + length + entry["data_offsets"][1]]
              for name, entry in header.items()}  # fmt: skip
    step = json.loads(values["training.json"])["progress"]["step"]
    return {name: value for name, value in values.items() if "." in name and not name.endswith(".json")}, step


def was_done(code: int, error: str) -> bool:
    """Whether a training was refused because no step is left."""
    return code == 2 and "steps done, expected more" in error


@dataclass
class Counts:
    sigkill: int = 0
    sigint: int = 0
    trainings: int = 0
    #: Kills before there was a checkpoint; moments at which a training had ended by itself.
    before: int = 0
    late: int = 0
    broken: list[str] = field(default_factory=list)


class Trainings:
    def __init__(self, program: str, work: Path, seed: int) -> None:
        self.program, self.work = program, work
        self.random = random.Random(seed)
        self.counts = Counts()
        self.seconds = 0.0

    def start(self, words: list[str], folder: Path) -> subprocess.Popen[str]:
        threads = str(self.random.choice((1, 2)))
        return subprocess.Popen(
            [self.program, "train", *words, "-t", threads], cwd=ROOT, env=ENVIRONMENT, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=open(folder.with_suffix(".err"), "w"),
        )  # fmt: skip

    def finish(self, process: subprocess.Popen[str], folder: Path) -> tuple[int, str, str]:
        try:
            output, _ = process.communicate(timeout=END_SECONDS)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.communicate()
            raise Broken(f"had not ended after {END_SECONDS:.0f} s") from error
        return process.returncode, output, folder.with_suffix(".err").read_text(errors="replace")

    def unbroken(self) -> None:
        folder = self.work / "unbroken"
        start = time.monotonic()
        code, _, error = self.finish(self.start([*TRAINING, "--out", str(folder)], folder), folder)
        self.seconds = time.monotonic() - start
        expect(code == 0, f"the unbroken training ended with {code}: {error[-300:]}")
        self.model = (folder / "model.safetensors").read_bytes()
        self.state = tensors(folder / STATE)

    def kill(self, process: subprocess.Popen[str], folder: Path) -> bool:
        """Ends it at a random moment, with what SIGINT promises. False where it had ended by itself."""
        time.sleep(START_SECONDS + self.random.random() * self.seconds)
        is_soft = self.random.random() < 0.25
        is_late = process.poll() is not None
        if is_late:
            self.counts.late += 1
            # The unbroken one met a busier machine.
            self.seconds *= 0.8
        elif is_soft:
            self.counts.sigint += 1
            process.send_signal(signal.SIGINT)
        else:
            self.counts.sigkill += 1
            process.kill()
        code, output, error = self.finish(process, folder)
        if is_late:
            expect(code == 0 or was_done(code, error), f"a training ended by itself with {code}: {error[-300:]}")
        elif not is_soft:
            expect(code in (0, -signal.SIGKILL), f"SIGKILL ended it with {code}: {error[-300:]}")
        elif code == 130:
            found = re.match(r"steps +(\d+) of", output)
            expect(found is not None and (folder / STATE).exists(), f"SIGINT left no checkpoint: {output[-200:]}")
            step = tensors(folder / STATE)[1]
            expect(int(found[1]) == step, f"SIGINT said step {found[1]}, the checkpoint has step {step}")
        else:
            # It may have been at its end; and before it trains it has nothing to save.
            is_early = code == -signal.SIGINT and "step " not in error
            expect(code == 0 or is_early, f"SIGINT ended it with {code}, expected 130: {error[-300:]}")
        return not is_late

    def resume(self, folder: Path) -> subprocess.Popen[str]:
        if (folder / STATE).exists():
            return self.start(["--resume", str(folder)], folder)
        self.counts.before += 1
        return self.start([*TRAINING, "--out", str(folder)], folder)

    def broken_training(self, kills: int) -> int:
        """One training that is ended, and gone on with to its end.

        - kills: at most so many.
        - Returns: how often it was ended; 0 where it was too fast.
        """
        self.counts.trainings += 1
        folder = self.work / "broken"
        shutil.rmtree(folder, ignore_errors=True)
        done = int(self.kill(self.start([*TRAINING, "--out", str(folder)], folder), folder))
        while 0 < done < kills and self.random.random() < 1 / 3:
            if not self.kill(self.resume(folder), folder):
                break
            done += 1
        code, _, error = self.finish(self.resume(folder), folder)
        expect(code == 0 or was_done(code, error), f"the resumed training ended with {code}: {error[-300:]}")
        expect((folder / "model.safetensors").read_bytes() == self.model, "the model has other bits")
        values, step = tensors(folder / STATE)
        expect(step == self.state[1], f"{step} steps, expected {self.state[1]}")
        other = [name for name, value in self.state[0].items() if values.get(name) != value]
        expect(not other and len(values) == len(self.state[0]), f"the checkpoint has other bits in {other[:3]}")
        hidden = sorted(path.name for path in folder.glob(".*"))
        expect(not hidden, f"left {hidden}")
        return done

    def run(self, kills: int) -> None:
        left = kills
        while left:
            try:
                left -= self.broken_training(left)
            except Broken as error:
                left -= 1
                self.counts.broken.append(f"training {self.counts.trainings}: {error}")
                print(self.counts.broken[-1], file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="PROGRAM", help="a built gpt2-bench")
    parser.add_argument("--kills", type=int, default=20, help="(default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random (default %(default)s)")
    options = parser.parse_args()
    if options.kills < 1:
        parser.error(f"--kills: found {options.kills}, expected at least 1")
    program = shutil.which(options.program)
    if program is None:
        parser.error(f"PROGRAM: {options.program} cannot be run")
    with tempfile.TemporaryDirectory() as work:
        trainings = Trainings(os.path.abspath(program), Path(work), options.seed)
        try:
            trainings.unbroken()
        except Broken as error:
            print(f"kill_train.py: {error}", file=sys.stderr)
            return 1
        trainings.run(options.kills)
        counts = trainings.counts
        print(
            f"{counts.trainings} trainings of {trainings.seconds:.1f} s: {counts.sigkill} times SIGKILL, {counts.sigint} "
            f"times SIGINT; {counts.before} times before a checkpoint, {counts.late} times too late; "
            f"{len(counts.broken)} broken promises")
        return 1 if counts.broken else 0


if __name__ == "__main__":
    sys.exit(main())
