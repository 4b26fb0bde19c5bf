"""The processes that scripts/fuzz.py gives its inputs to, and what each has promised."""

import contextlib
import fcntl
import json
import os
import re
import resource
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path

from fuzz_inputs import WORKER_LOAD
from fuzz_mutations import END_OF_KEYS

#: Control characters and marks of direction, which a terminal or a reader of a log would obey.
UNCLEAN = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
LONGEST_LINE = 4000


@dataclass(frozen=True)
class Limits:
    seconds: float
    #: Of address space; 0 for as much as there is.
    memory: int

    def apply(self) -> None:
        """In the child, before the program."""
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if self.memory:
            resource.setrlimit(resource.RLIMIT_AS, (self.memory, self.memory))


class Fault(Exception):
    """A promise that was broken."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail


def ending(status: int) -> str:
    if status >= 0:
        return f"exit {status}"
    return f"{signal.Signals(-status).name}"


def environment(folder: Path) -> dict[str, str]:
    # A trap shall be the end at once, not after minutes of looking at its own stack.
    own = {
        "SWIFT_BACKTRACE": "enable=no",
        "GPT2_BENCH_HOME": str(folder / "home"),
        "XDG_STATE_HOME": str(folder / "state"),
    }
    return os.environ | own | {"TERM": "xterm-256color", "COLUMNS": "80"}


class LineProcess:
    """A process that answers lines with lines."""

    def __init__(self, command: list[str], folder: Path, limits: Limits) -> None:
        self.limits = limits
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.errors, preexec_fn=limits.apply, bufsize=0, start_new_session=True,
        )  # fmt: skip
        self.rest = b""

    def send(self, line: bytes) -> None:
        try:
            self.process.stdin.write(line + b"\n")
        except BrokenPipeError:
            raise self.fault("") from None

    def line(self) -> bytes:
        end = time.monotonic() + self.limits.seconds
        while b"\n" not in self.rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise Fault("hang", f"no answer within {self.limits.seconds:.0f} s")
            piece = os.read(self.process.stdout.fileno(), 1 << 16)
            if not piece:
                raise self.fault(self.rest.decode(errors="replace"))
            self.rest += piece
        line, self.rest = self.rest.split(b"\n", 1)
        return line

    def fault(self, said: str) -> Fault:
        status = self.process.wait()
        self.errors.seek(0)
        text = self.errors.read()[-4000:].decode(errors="replace").strip()
        return Fault(ending(status), "\n".join(part for part in (text, said) if part) or "without a word")

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            with contextlib.suppress(OSError):
                stream.close()


class ReadersProcess(LineProcess):
    """`fuzz-readers`."""

    def __init__(self, program: str, folder: Path, limits: Limits) -> None:
        super().__init__([program], folder, limits)

    def ask(self, request: list[str]) -> bool:
        """Whether the input was taken."""
        self.send("\t".join(request).encode())
        answer = self.line()
        if not answer.startswith((b"taken", b"refused")) or b"Unknown()" in answer:
            raise Fault("answer", answer.decode(errors="replace"))
        return answer.startswith(b"taken")


class WorkerProcess(LineProcess):
    """`gpt2-bench worker` with a model; every input finds it loaded."""

    #: Of a request that ends a mutated one: its answer shows that all before it have been given.
    MARK = 8128

    def __init__(self, program: str, folder: Path, limits: Limits) -> None:
        # The word is a label.
        super().__init__([program, "worker", "fuzz"], folder, limits)
        self.is_loaded = False

    def ask(self, request: bytes) -> bool:
        """Whether all of it was done."""
        if not self.is_loaded:
            self.send(WORKER_LOAD)
            answer = json.loads(self.line())
            if not answer["ok"]:
                raise Fault("answer", f"a valid load: {answer}")
            self.is_loaded = True
        self.send(request)
        self.send(json.dumps({"id": self.MARK, "operation": "memory"}).encode())
        is_done = True
        while True:
            try:
                text = self.line()
            except Fault as fault:
                if fault.kind == "exit 0" and b"quit" in request:
                    raise Quit from None
                raise
            answer = self.checked(text)
            if answer["id"] == self.MARK:
                break
            is_done = is_done and answer["ok"]
        # Whatever it loaded instead, the next input shall find the model.
        self.is_loaded = b"load" not in request
        return is_done

    @staticmethod
    def checked(text: bytes) -> dict:
        try:
            answer = json.loads(text)
            if not isinstance(answer["ok"], bool) or not (answer["ok"] or isinstance(answer["error"], str)):
                raise ValueError
        except (ValueError, KeyError, TypeError):
            raise Fault("answer", f"no answer: {text[:300]!r}") from None
        if not answer["ok"] and "\n" in answer["error"]:
            raise Fault("lines", f"an error of several lines: {answer['error'][:300]!r}")
        return answer


class Quit(Exception):
    """A mutated request asked the worker to end, and it did."""


def run_program(
    program: str, words: list[bytes], text: bytes, folder: Path, limits: Limits, *, is_terminal: bool = False
) -> int:
    """The program once; its exit code."""
    command = [program.encode(), *words]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        if is_terminal:
            status = typed(command, text, folder, limits)
        else:
            process = subprocess.Popen(
                command, cwd=folder, env=environment(folder), stdin=subprocess.PIPE, stdout=output, stderr=errors,
                preexec_fn=limits.apply, start_new_session=True,
            )  # fmt: skip
            try:
                with contextlib.suppress(BrokenPipeError):
                    process.communicate(text, timeout=limits.seconds)
                status = process.wait(limits.seconds)
            except subprocess.TimeoutExpired:
                raise Fault("hang", f"no end within {limits.seconds:.0f} s") from None
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        errors.seek(0)
        said = errors.read(1 << 20)
    if not 0 <= status <= 5:
        raise Fault(ending(status), said[-4000:].decode(errors="replace") or "without a word")
    if status in (1, 2) and not is_terminal:
        check_error(said, status)
    return status


def check_error(said: bytes, status: int) -> None:
    """What an error leaves on standard error: one line that any terminal may show."""
    shown = said[:600].decode(errors="backslashreplace")
    # A word alone without a subcommand gets the overview.
    if status == 2 and b"\nusage: " in said:
        return
    if len(said.splitlines()) != 1 or not said.endswith(b"\n"):
        raise Fault("lines", f"exit {status} with {len(said.splitlines())} lines on standard error: {shown!r}")
    if len(said) > LONGEST_LINE:
        raise Fault("length", f"exit {status} with {len(said)} bytes in its line: {shown[:200]!r}")
    try:
        text = said[:-1].decode()
    except UnicodeDecodeError:
        raise Fault("encoding", f"exit {status} with an error that is not UTF-8: {shown!r}") from None
    if found := UNCLEAN.search(text):
        raise Fault("unclean", f"exit {status} with U+{ord(found[0]):04X} in its line: {shown!r}")


def typed(command: list[bytes], text: bytes, folder: Path, limits: Limits) -> int:
    """The program in a terminal, where the text is typed."""
    parent, child = os.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        command, cwd=folder, env=environment(folder), stdin=child, stdout=child, stderr=child, preexec_fn=limits.apply,
        start_new_session=True,
    )  # fmt: skip
    os.close(child)
    end = time.monotonic() + limits.seconds
    seen = b""
    try:
        while process.poll() is None:
            if time.monotonic() > end:
                raise Fault("hang", f"no end within {limits.seconds:.0f} s; it has shown {seen[-300:]!r}")
            # What is typed before the prompt would meet a terminal that is not the program's yet.
            is_ready = b"> " in seen
            readable, writable, _ = select.select([parent], [parent] if text and is_ready else [], [], 0.05)
            with contextlib.suppress(OSError):
                if readable:
                    seen = (seen + os.read(parent, 1 << 16))[-4000:]
                if writable:
                    text = text[os.write(parent, text[:64]) :]
                elif is_ready and not text and not readable:
                    # An answer may have eaten the end: what ends an empty line is typed until it does.
                    text = END_OF_KEYS
        return process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(parent)
