#!/usr/bin/env python3
"""Drives `gpt2-bench chat` in a pseudo-terminal, as a person would, and looks at the screen.

usage: check_chat.py PATH-TO-gpt2-bench

Keys that edit, wide and combining characters, lines longer than the screen is wide, pastes, history and its file, search,
completion, Ctrl-C while a line is edited and while an answer is written, Ctrl-Z, another size, dumb terminals, and the
terminal's state after every kind of end. Exits 0 where all is as it must be, else 1 with the screen as it was.
"""

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unicodedata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "> "


class Screen:
    """What a terminal shows: the part of ECMA-48 that the chat uses, with xterm's pending wrap."""

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.cells = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0
        self.wraps = False
        self.rest = ""

    def resize(self, rows, columns):
        """As xterm does it: rows are cut or filled, nothing flows."""
        self.cells = [(line + [" "] * columns)[:columns] for line in self.cells]
        self.cells = (self.cells + [[" "] * columns for _ in range(rows)])[:rows]
        self.rows, self.columns = rows, columns
        self.column = min(self.column, columns - 1)
        self.wraps = False

    def feed(self, text):
        text = self.rest + text
        self.rest = ""
        at = 0
        while at < len(text):
            character = text[at]
            if character == "\x1b":
                found = re.match(r"\x1b(\[[0-9;?]*[@-~]|[^\[])", text[at:])
                if not found:
                    self.rest = text[at:]
                    return
                self.sequence(found.group(1))
                at += found.end()
                continue
            at += 1
            if character == "\r":
                self.column, self.wraps = 0, False
            elif character == "\n":
                self.line_feed()
            elif character == "\b":
                self.column, self.wraps = max(self.column - 1, 0), False
            elif character == "\t":
                self.column = min((self.column // 8 + 1) * 8, self.columns - 1)
            elif character >= " ":
                self.draw(character)

    def line_feed(self):
        self.wraps = False
        if self.row + 1 < self.rows:
            self.row += 1
        else:
            self.cells = self.cells[1:] + [[" "] * self.columns]

    def draw(self, character):
        width = 0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if width == 0:
            before = self.column if self.wraps else self.column - 1
            self.cells[self.row][max(before, 0)] += character
            return
        if self.wraps or self.column + width > self.columns:
            self.column = 0
            self.line_feed()
        self.cells[self.row][self.column] = character
        if width == 2:
            self.cells[self.row][self.column + 1] = ""
        self.wraps = self.column + width >= self.columns
        self.column = min(self.column + width, self.columns - 1)

    def sequence(self, text):
        if not text.startswith("["):
            return
        numbers = [int(n) if n else 0 for n in text[1:-1].lstrip("?").split(";")]
        count = max(numbers[0], 1)
        final = text[-1]
        if final in "ABCDGHJK":
            self.wraps = False
        if final == "A":
            self.row = max(self.row - count, 0)
        elif final == "B":
            self.row = min(self.row + count, self.rows - 1)
        elif final == "C":
            self.column = min(self.column + count, self.columns - 1)
        elif final == "D":
            self.column = max(self.column - count, 0)
        elif final == "G":
            self.column = min(count - 1, self.columns - 1)
        elif final == "H":
            self.row, self.column = 0, 0
        elif final == "J":
            if numbers[0] == 2:
                self.cells = [[" "] * self.columns for _ in range(self.rows)]
            else:
                self.erase_line()
                for line in range(self.row + 1, self.rows):
                    self.cells[line] = [" "] * self.columns
        elif final == "K":
            self.erase_line()

    def erase_line(self):
        self.cells[self.row][self.column :] = [" "] * (self.columns - self.column)

    @property
    def lines(self):
        lines = ["".join(line).rstrip(" ") for line in self.cells]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def text(self):
        return "\n".join(self.lines)


class Failure(Exception):
    pass


class Chat:
    """A command in a pseudo-terminal of its own, and its screen."""

    def __init__(self, words, environment, rows=24, columns=80, prompt=True):
        self.screen = Screen(rows, columns)
        self.raw = ""
        self.bytes = b""
        self.status = None
        # The terminal's other side is kept open, so that its state stays when the command has ended.
        self.master, self.slave = os.openpty()
        self.id = os.fork()
        if self.id == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for stream in range(3):
                os.dup2(self.slave, stream)
            os.closerange(3, 64)
            os.chdir(ROOT)
            os.execvpe(words[0], words, environment)
        self.size(rows, columns)
        self.found = termios.tcgetattr(self.slave)
        if prompt:
            self.wait_prompt()

    def size(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def send(self, text):
        os.write(self.master, text.encode())

    def read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            self.bytes += os.read(self.master, 65536)
        except OSError:
            return False
        text = self.bytes.decode(errors="ignore")
        self.bytes = b""
        self.raw += text
        self.screen.feed(text)
        return True

    def wait(self, what, condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise Failure(f"{what}: not within {seconds} s")
            self.read(0.02)

    def settle(self):
        """Until nothing more comes."""
        while self.read(0.15):
            pass

    @property
    def line(self):
        """The row of the cursor."""
        return self.screen.lines[self.screen.row] if self.screen.row < len(self.screen.lines) else ""

    def wait_prompt(self):
        self.wait("the prompt", lambda: self.line.rstrip() == PROMPT.rstrip() and self.screen.column == len(PROMPT))

    def type(self, keys, line, column=None, what=None):
        """Keys, and the row of the cursor as it must be after them."""
        self.send(keys)
        wanted = PROMPT + line
        right = lambda: self.line == wanted.rstrip() and (column is None or self.screen.column == len(PROMPT) + column)
        self.wait(what or f"keys {keys!r} give {line!r} with the cursor at {column}", right)

    def command(self, text, shown):
        """A slash command, and what the screen must show after it."""
        self.send(text + "\r")
        self.wait(f"{text} shows {shown!r}", lambda: shown in self.screen.text)
        self.wait_prompt()

    def is_restored(self):
        return termios.tcgetattr(self.slave) == self.found

    def end(self, wanted, seconds=20):
        deadline = time.monotonic() + seconds
        while self.status is None:
            self.read(0.02)
            ended, status = os.waitpid(self.id, os.WNOHANG)
            if ended:
                self.status = status
            elif time.monotonic() > deadline:
                os.kill(self.id, signal.SIGKILL)
                raise Failure(f"it did not end within {seconds} s")
        self.settle()
        code = os.waitstatus_to_exitcode(self.status)
        if code != wanted:
            raise Failure(f"it ended with {code}, expected {wanted}")
        if not self.is_restored():
            raise Failure("the terminal's settings are not as they were")
        if self.raw.rfind("\x1b[?2004h") > self.raw.rfind("\x1b[?2004l"):
            raise Failure("bracketed paste is still on")

    def close(self):
        if self.status is None:
            try:
                os.kill(self.id, signal.SIGKILL)
                os.waitpid(self.id, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        os.close(self.slave)
        os.close(self.master)


def require(condition, message):
    if not condition:
        raise Failure(message)


class Checks:
    def __init__(self, command, folder):
        self.command = command
        self.folder = folder
        self.environment = {
            key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "GPT2_BENCH_HOME")
        } | {"TERM": "xterm-256color", "XDG_STATE_HOME": str(folder / "state"), "GPT2_BENCH_BLAS": ""}

    def chat(self, *options, environment={}, **size):
        words = [self.command, "chat", "--model", "weights/tiny", "--seed", "1", "-n", "12", *options]
        return Chat(words, self.environment | environment, **size)

    def editing(self):
        chat = self.chat()
        yield chat
        chat.type("hello wrold", "hello wrold", 11)
        chat.type("\x02\x02\x02\x14", "hello world", 9, "Ctrl-T swaps two characters")
        chat.type("\x01X\x1b[C\x1b[D", "Xhello world", 1)
        chat.type("\x1b[3~\x05!", "Xello world!", 12)
        chat.type("\x1bb\x1bb", "Xello world!", 0)
        chat.type("\x1bf", "Xello world!", 5)
        chat.type("\x0b", "Xello", 5)
        # Kills one after the other are one.
        chat.type("\x15\x19", "Xello world!", 12)
        chat.type("\x17\x19\x19", "Xello world!world!", 18)
        chat.type("\x1b[1;5D", "Xello world!world!", 12)
        chat.type("\x1b[F\x7f\x7f", "Xello world!worl", 16)
        chat.type("\x15", "", 0)
        # Wide and combining characters: the cursor stands where the terminal has it.
        chat.type("日本x", "日本x", 5)
        chat.type("\x1b[D\x1b[D", "日本x", 2)
        chat.type("e\u0301", "日e\u0301本x", 3)
        chat.type("\x7f\x05\x15", "", 0)
        # Ctrl-C gives the line up, and says so.
        chat.type("given up", "given up")
        chat.send("\x03")
        chat.wait("Ctrl-C shows itself", lambda: PROMPT + "given up^C" in chat.screen.lines)
        chat.wait_prompt()
        # Ctrl-L leaves nothing but the line.
        chat.type("kept", "kept")
        chat.send("\x0c")
        chat.wait("Ctrl-L clears the screen", lambda: chat.screen.lines == [PROMPT + "kept"])
        chat.type("\x15", "", 0)
        chat.send("\x04")
        chat.end(0)

    def long_lines(self):
        chat = self.chat(rows=10, columns=20)
        yield chat
        text = "abcdefghijklmnopqrstuvwxyz0123456789"
        chat.send(text)
        chat.wait("a long line has two rows", lambda: chat.screen.lines[-2:] == [PROMPT + text[:18], text[18:]])
        require(chat.screen.column == 18, "the cursor stands after the last character")
        chat.send("\x01_")
        chat.wait(
            "an insertion moves what follows to the next row",
            lambda: chat.screen.lines[-2:] == [PROMPT + "_" + text[:17], text[17:]],
        )
        require(chat.screen.column == 3, "the cursor stands after the insertion")
        chat.send("\x05" + "x")
        chat.wait("a full row is followed by an empty one", lambda: chat.screen.column == 0 and chat.line == "")
        chat.send("\x15")
        chat.wait_prompt()
        require([line.rstrip() for line in chat.screen.lines[-1:]] == [">"], "nothing of the long line is left")
        # More rows than the screen has.
        chat.send("\x1b[200~" + "\r".join(f"line {n}" for n in range(30)) + "\x1b[201~")
        chat.wait("a tall paste shows its end", lambda: chat.line == "line 29")
        require(chat.screen.lines[:1] == ["line 20"], "a tall paste fills the screen")
        chat.send("\x1b[A" * 29)
        chat.wait("going up shows its beginning", lambda: chat.screen.lines[:1] == [PROMPT + "line 0"])
        chat.send("\x03")
        chat.wait_prompt()
        chat.send("\x04")
        chat.end(0)

    def resizing(self):
        chat = self.chat(rows=10, columns=40)
        yield chat
        text = "0123456789" * 3
        chat.type(text, text)
        chat.size(10, 20)
        chat.wait("a narrower screen breaks the line", lambda: chat.screen.lines[-2:] == [PROMPT + text[:18], text[18:]])
        chat.size(10, 40)
        chat.wait("a wider screen joins it", lambda: chat.screen.lines[-1:] == [PROMPT + text])
        chat.send("\x15\x04")
        chat.end(0)

    def history(self):
        chat = self.chat()
        yield chat
        chat.command("/set top-p 0.5", "top-p 0.5")
        chat.command("/mode", "mode complete")
        chat.type("draft\x1b[A", "/mode", 5)
        chat.type("\x1b[A", "/set top-p 0.5", 14)
        chat.type("\x1b[B\x1b[B", "draft", 5)
        chat.type("\x15\x10", "/mode", 5)
        chat.send("\x15\x12top")
        chat.wait("Ctrl-R finds", lambda: chat.line == "(reverse-search)'top': /set top-p 0.5")
        chat.send("\x07")
        chat.wait_prompt()
        # Tab completes, and lists what it cannot decide.
        chat.type("/sta\t", "/status ")
        chat.type("\x15/se\t", "/set")
        chat.send("\t")
        chat.wait("Tab lists", lambda: any(line.split() == ["set", "settings"] for line in chat.screen.lines))
        chat.type("\x15", "", 0)
        # Several pasted lines are one entry, and one text.
        chat.send("\x1b[200~two\rlines\x1b[201~")
        chat.wait("a paste keeps its lines", lambda: chat.screen.lines[-2:] == [PROMPT + "two", "lines"])
        chat.send("\r")
        chat.wait("its answer ends", lambda: "tok/s" in chat.screen.text)
        chat.wait_prompt()
        chat.send("/quit\r")
        chat.end(0)
        file = self.folder / "state/gpt2-bench/history"
        require(file.read_text() == "/set top-p 0.5\n/mode\ntwo\\nlines\n/quit\n", f"{file} holds {file.read_text()!r}")
        require(file.stat().st_mode & 0o777 == 0o600, "others can read the history")
        again = self.chat()
        yield again
        again.type("\x1b[A", "/quit")
        again.send("\x15\x04")
        again.end(0)
        # Where it cannot be written there is none, and nothing fails.
        (self.folder / "file").write_text("")
        without = self.chat(environment={"XDG_STATE_HOME": str(self.folder / "file")})
        yield without
        without.command("/mode", "mode complete")
        without.send("\x04")
        without.end(0)

    def answers(self):
        chat = self.chat("--temperature", "0")
        yield chat
        chat.send("ROMEO:\r")
        chat.wait("an answer's figures", lambda: "12 tokens" in chat.screen.text and "TTFT" in chat.screen.text)
        chat.wait_prompt()
        require("\x1b[2m" in chat.raw, "figures are dim")
        require(chat.screen.text.count("tok/s") == 1, "one line of figures stays")
        # An answer without an end: Ctrl-C ends it, what it said stays, and the chat goes on.
        chat.command("/set max-tokens 100000000", "max-tokens 100000000")
        before = len(chat.raw)
        chat.send("JULIET:\r")
        chat.wait("figures while it is written", lambda: "tok/s" in chat.raw[before:])
        chat.send("typed ahead")
        time.sleep(0.5)
        chat.send("\x03")
        chat.wait("Ctrl-C ends an answer", lambda: "interrupted" in chat.screen.text)
        chat.wait("what was typed meanwhile", lambda: chat.line == PROMPT + "typed ahead")
        require(chat.screen.text.count("typed ahead") == 1, "keys were echoed into the answer")
        chat.type("\x15", "", 0)
        chat.command("/status", "turns        2")
        chat.send("/clear\r")
        chat.wait("/clear clears the screen", lambda: chat.screen.lines[:1] == ["the conversation is forgotten"])
        chat.wait_prompt()
        chat.command("/set temperature warm", "expected a number")
        chat.send("\x04")
        chat.end(0)

    def colour(self):
        for options, environment in [(["--no-color"], {}), ([], {"NO_COLOR": "1"})]:
            chat = self.chat(*options, environment=environment)
            yield chat
            chat.send("ROMEO:\r")
            chat.wait("an answer's figures", lambda: "TTFT" in chat.screen.text)
            chat.wait_prompt()
            require(not re.search(r"\x1b\[[0-9;]*m", chat.raw), "colour though there should be none")
            chat.send("\x04")
            chat.end(0)

    def signals(self):
        for number in [signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV]:
            chat = self.chat()
            yield chat
            chat.type("half a line", "half a line")
            os.kill(chat.id, number)
            chat.end(-number)
        chat = self.chat()
        yield chat
        chat.command("/set max-tokens 100000000", "max-tokens 100000000")
        chat.send("go\r")
        chat.wait("an answer", lambda: "tok/s" in chat.screen.text)
        require(not chat.is_restored(), "keys are unseen while an answer is written")
        os.kill(chat.id, signal.SIGTERM)
        chat.end(-signal.SIGTERM)

    def stopping(self):
        """Ctrl-Z, in a shell that has jobs."""
        environment = self.environment | {"PS1": "shell: ", "HISTFILE": ""}
        shell = Chat(["bash", "--norc", "--noprofile", "-i"], environment, prompt=False)
        yield shell
        shell.wait("the shell", lambda: shell.line == "shell:")
        shell.send(f"'{self.command}' chat --model weights/tiny --quiet\r")
        shell.wait_prompt()
        shell.type("before", "before")
        shell.send("\x1a")
        shell.wait("Ctrl-Z stops it", lambda: shell.line == "shell:" and "Stopped" in shell.screen.text)
        shell.send("stty -a | tr ' ;' '\\n' | grep -cx 'icanon\\|echo'\r")
        shell.wait("the shell has its terminal", lambda: shell.line == "shell:" and "\n2" in shell.screen.text)
        shell.send("fg\r")
        shell.wait("it goes on with its line", lambda: shell.line == PROMPT + "before")
        shell.type(" and after", "before and after")
        shell.send("\x15\x04")
        shell.wait("it ends", lambda: shell.line == "shell:")
        shell.send("exit\r")
        shell.end(0)

    def plain(self):
        chat = self.chat(environment={"TERM": "dumb"}, prompt=False)
        yield chat
        chat.wait("a prompt", lambda: chat.screen.text.endswith(">"))
        chat.send("ROMEO:\n")
        chat.wait("an answer's figures", lambda: "TTFT" in chat.screen.text)
        chat.settle()
        chat.send("/set max-tokens 100000000\n")
        chat.wait("a command", lambda: "max-tokens 100000000" in chat.screen.text.replace("> /set max-tokens", ""))
        chat.send("go\n")
        time.sleep(0.5)
        chat.send("\x03")
        chat.wait("Ctrl-C ends an answer", lambda: "interrupted" in chat.screen.text)
        chat.settle()
        chat.send("\x03")
        chat.settle()
        chat.send("/quit\n")
        chat.end(0)
        require("\x1b" not in chat.raw, "escape sequences for a dumb terminal")

    def pipe(self):
        """A reader that has enough ends it quietly."""
        words = [self.command, "chat", "--model", "weights/tiny", "--quiet", "--temperature", "0"]
        chat = subprocess.Popen(
            words, cwd=ROOT, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        chat.stdin.write(b"ROMEO:\n")
        chat.stdin.flush()
        require(chat.stdout.read(1), "no answer before the end of the input")
        chat.stdout.close()
        chat.stdin.write(b"JULIET:\n" * 100)
        try:
            chat.stdin.close()
        except BrokenPipeError:
            pass
        code, error = chat.wait(20), chat.stderr.read()
        require(code == 0 and not error, f"a closed pipe: ended with {code} and {error!r}")
        yield from ()


def main():
    if len(sys.argv) != 2:
        print(__doc__.strip().splitlines()[2], file=sys.stderr)
        return 2
    command = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        checks = Checks(command, Path(folder))
        names = [name for name, value in vars(Checks).items() if callable(value) and name not in ("__init__", "chat")]
        for name in names:
            chat = None
            chats = []
            try:
                for chat in getattr(checks, name)():
                    chats.append(chat)
            except Failure as failure:
                print(f"check_chat: {name}: {failure}", file=sys.stderr)
                if chat:
                    print(f"the screen, its cursor at {chat.screen.row}, {chat.screen.column}:", file=sys.stderr)
                    print("\n".join("| " + line for line in chat.screen.lines), file=sys.stderr)
                return 1
            finally:
                for chat in chats:
                    chat.close()
            print(f"{name}: as it must be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
