"""Runs a command in a pseudo terminal, for the scripts that check what a terminal shows."""

import fcntl
import os
import select
import struct
import termios
import time

SEEN = 4096


def run(words, columns=80, rows=24, environment=None, folder=None, seen=None, interval=0.1):
    """Runs the command to its end, and returns its exit code and all that it wrote.

    `seen`, where it is given, is called with the end of the text so far, at least once in `interval` seconds: all of it
    would take from a long run the time that it measures.
    """
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = os.fork()
    if process == 0:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for stream in range(3):
            os.dup2(slave, stream)
        os.closerange(3, 64)
        if folder:
            os.chdir(folder)
        os.execvpe(words[0], words, environment or dict(os.environ))
    os.close(slave)
    written = b""
    code = None
    while code is None:
        ready = select.select([master], [], [], interval)[0]
        try:
            piece = os.read(master, 65536) if ready else b""
        except OSError:  # Linux's word for the end of a pseudo terminal
            piece = None
        written += piece or b""
        if seen:
            seen(written[-SEEN:].decode(errors="replace"))
        if piece is None or (ready and piece == b""):
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    os.close(master)
    return code, written.decode(errors="replace")


def now():
    return time.monotonic()
