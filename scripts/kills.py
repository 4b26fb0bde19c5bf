"""What `kill_test.py` and `kill_training.py` share: processes that are ended at random moments, the kinds of kill that
both have, and their command line. Needs Python alone."""

import argparse
import os
import random
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
ENVIRONMENT = os.environ | {
    "SWIFT_BACKTRACE": "enable=no",
    "GPT2_BENCH_CEILINGS": "brief",
    "GPT2_BENCH_BLAS": "",
    "GPT2_BENCH_HOME": str(ROOT),
}
#: For a process to end, once it was asked to.
END_SECONDS = 120.0  # of a busy machine
FULL_BYTES = 24 << 10


class Broken(Exception):
    """A promise that was not kept."""


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)


class Running:
    """A process that has been started, with its output in files."""

    def __init__(
        self,
        words: list[str],
        folder: Path,
        name: str = "",
        limit: Callable[[], None] | None = None,
        environment: dict[str, str] = ENVIRONMENT,
    ) -> None:
        self.error_path = folder / f"stderr{name}"
        with open(self.error_path, "wb") as errors, open(folder / f"stdout{name}", "wb") as output:
            self.process = subprocess.Popen(
                words, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                preexec_fn=limit, start_new_session=True,
            )  # fmt: skip
        self.started = time.monotonic()
        #: That it took, once it has ended.
        self.seconds = 0.0

    def look(self) -> None:
        """What is looked at again and again while it runs."""

    def wait_until(self, seconds: float) -> bool:
        """Whether it still runs then."""
        while time.monotonic() < self.started + seconds and self.process.poll() is None:
            self.look()
            time.sleep(0.01)
        self.look()
        return self.process.poll() is None

    def code(self) -> int:
        """How it ended; it is ended where it does not."""
        end = time.monotonic() + END_SECONDS
        while self.process.poll() is None:
            self.look()
            if time.monotonic() > end:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
                raise Broken(f"had not ended after {END_SECONDS:.0f} s")
            time.sleep(0.02)
        self.seconds = time.monotonic() - self.started
        return self.process.returncode

    @property
    def error(self) -> str:
        return self.error_path.read_text(errors="replace")

    @property
    def errors(self) -> list[str]:
        """The lines that are no progress."""
        return [line for line in self.error.splitlines() if line.startswith("gpt2-bench:")]


class Kills:
    """The kinds of kill that every process is put to. A subclass says which process it is, and what must be left."""

    #: Seconds before which none is killed.
    EARLIEST = 0.0

    def __init__(self, program: str, work: Path, seed: int) -> None:
        self.program = program
        self.work = work
        self.random = random.Random(seed)
        self.seconds = 0.0
        self.moment = 0.0

    # --- what a subclass says

    def another(self, name: str = "", limit: Callable[[], None] | None = None) -> Any:
        """A `Running` into the folder `out`, whatever is there. Its output goes to files that end with the name."""
        raise NotImplementedError

    def expect_whole(self) -> None:
        """The folder holds what an undisturbed one leaves."""
        raise NotImplementedError

    def check_ended(self, run: Any, number: signal.Signals, code: int) -> None:
        """What one has left that ended with that code, after that signal."""
        raise NotImplementedError

    def answers_signals(self) -> bool:
        """Whether the one that runs surely has its handlers in place by now."""
        return True

    # --- processes

    @property
    def out(self) -> Path:
        return self.work / "run/out"

    def fresh(self) -> Path:
        """The folder above, where nothing is."""
        folder = self.out.parent
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def start(self, limit: Callable[[], None] | None = None) -> Any:
        self.fresh()
        return self.another(limit=limit)

    def measure(self) -> Any:
        """How long one takes that nothing disturbs: moments are drawn from that."""
        run = self.start()
        self.expect_undisturbed(run)
        self.seconds = run.seconds
        return run

    def draw(self, share: float = 1.0) -> float:
        self.moment = self.EARLIEST + self.random.random() * self.seconds * share
        return self.moment

    def expect_undisturbed(self, run: Any) -> None:
        """Of one that nothing was done to, or that ended before anything was."""
        code = run.code()
        expect(code == 0, f"ended with {code}, undisturbed: {run.error[-300:]}")
        self.expect_whole()

    # --- one kill of each kind

    def signalled(self, number: signal.Signals) -> None:
        run = self.start()
        if not run.wait_until(self.draw(1.05)):
            self.expect_undisturbed(run)
            return
        answers = self.answers_signals()
        run.process.send_signal(number)
        code = run.code()
        # It may have been at its end, or not yet have had its handlers.
        wanted = {0, -number if number == signal.SIGKILL else 128 + number} | (set() if answers else {-number})
        expect(code in wanted, f"ended with {code}, expected {sorted(wanted)}")
        self.check_ended(run, number, code)

    def kill(self) -> None:
        self.signalled(signal.SIGKILL)

    def term(self) -> None:
        self.signalled(signal.SIGTERM)

    def int(self) -> None:
        self.signalled(signal.SIGINT)

    def hup(self) -> None:
        self.signalled(signal.SIGHUP)

    def limit(self) -> None:
        self.failing(self.start(limit_to(resource.RLIMIT_FSIZE, FULL_BYTES)))

    def full(self) -> None:
        self.fresh()
        self.out.mkdir()
        if not mount_small(self.out):
            print("full: left out, this user may mount no file system")
            return
        try:
            self.failing(self.another())
        finally:
            subprocess.run(["umount", str(self.out)], check=False)

    def failing(self, run: Any) -> None:
        """One that cannot write, or open, what it must."""
        self.moment = 0
        code = run.code()
        expect(code == 1, f"ended with {code}: {run.error[-300:]}")
        expect(len(run.errors) <= 1, f"{len(run.errors)} errors: {run.errors}")
        expect(not temporaries(self.out), f"left {temporaries(self.out)}")

    def second(self) -> None:
        first = self.start()
        # Early enough for the first to run on while the second looks at the folder.
        if not first.wait_until(self.draw(0.5)) or not self.out.exists():
            self.expect_undisturbed(first)
            return
        other = self.another("-second")
        code = other.code()
        self.expect_undisturbed(first)
        expect(code in (1, 2), f"the second one ended with {code}")
        expect(str(self.out) in "".join(other.errors), f"the folder is not named: {other.errors}")


def temporaries(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(".*")) if folder.is_dir() else []


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


def run_kills(
    script: str,
    kinds: list[str],
    default: int,
    begin: Callable[[str, Path, int], Kills],
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
