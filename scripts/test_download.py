#!/usr/bin/env python3
"""Tests download_gpt2.sh and fetch_vocabulary.sh with a hub and a file store of its own on 127.0.0.1.

    python3 scripts/test_download.py

The scripts run in a copy of their folder whose gpt2_sha256.txt has the digests of small files made here.
"""

import hashlib
import http.server
import os
import pty
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from dataclasses import dataclass, field
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent
NAMES = ("config.json", "vocab.json", "merges.txt", "model.safetensors")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def git_sha1(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass
class File:
    """What the hub and its store do with one file."""

    data: bytes
    large: bool = False  # kept in the store, as the hub does with files of Git LFS
    served: bytes | None = None  # what is really sent, where that differs
    tag: str | None = None  # the digest that the hub names; the right one unless given, "" for none
    size: int | None = None  # the length that the hub names for a large file
    status: int = 200
    refusals: int = 0  # how often the first answers to GET are status 503
    cut: int | None = None  # bytes after which the connection breaks
    cuts: int = 10**9  # how often it does
    ranges: bool = True
    pause: float = 0.0  # seconds between the first half and the rest
    moved: bool = False  # the hub answers from another path of its own


@dataclass
class Request:
    server: str
    method: str
    path: str
    range: str | None
    authorization: str | None


@dataclass
class World:
    """The files, and what was asked for."""

    files: dict[str, File] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    store: str = ""

    def gets(self, name: str) -> list[Request]:
        return [r for r in self.requests if r.method == "GET" and r.path.endswith(name)]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world: World
    role: str

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        self.close_connection = True
        asked = self.headers.get("Range"), self.headers.get("Authorization")
        self.world.requests.append(Request(self.role, self.command, self.path, *asked))
        file = self.world.files.get(self.path.removeprefix("/api").removeprefix("/store"))
        if file is None or file.status != 200:
            return self.refuse(404 if file is None else file.status)
        if file.refusals > 0 and self.command == "GET":
            file.refusals -= 1
            return self.refuse(503)
        if self.role == "hub" and file.large:
            tag = sha256(file.data) if file.tag is None else file.tag
            headers = {"Location": self.world.store + "/store" + self.path, "ETag": '"of-the-redirection"'}
            if tag:
                headers |= {"X-Linked-ETag": f'"{tag}"', "X-Linked-Size": str(file.size or len(file.data))}
            return self.refuse(302, headers)
        if file.moved and not self.path.startswith("/api"):
            return self.refuse(307, {"Location": "/api" + self.path})
        self.send(file)

    def refuse(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send(self, file: File) -> None:
        data = file.data if file.served is None else file.served
        begin, wanted = 0, self.headers.get("Range")
        if wanted and file.ranges and self.command == "GET":
            begin = int(wanted.removeprefix("bytes=").split("-")[0])
            if begin >= len(data):
                return self.refuse(416)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        tag = (git_sha1(file.data) if file.tag is None else file.tag) if self.role == "hub" else "0" * 32
        if tag:
            self.send_header("ETag", f'W/"{tag}"')
        self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        if self.command == "HEAD":
            return
        end = len(data)
        if file.cut is not None and file.cuts > 0:
            file.cuts -= 1
            end = min(end, begin + file.cut)
        try:
            middle = (begin + end) // 2
            self.wfile.write(data[begin:middle])
            if file.pause:
                self.wfile.flush()
                time.sleep(file.pause)
            self.wfile.write(data[middle:end])
        except OSError:
            pass


class DownloadTest(unittest.TestCase):
    def setUp(self) -> None:
        self.root = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        self.folder = self.root / "weights" / "gpt2"
        (self.root / "scripts").mkdir()
        for name in ("hub.sh", "download_gpt2.sh", "fetch_vocabulary.sh"):
            shutil.copy(SCRIPTS / name, self.root / "scripts")
        self.world = World()
        self.servers = {role: self.serve(role) for role in ("hub", "store")}
        self.world.store = self.address("store")
        self.data = {name: (name.encode() + b" \0\n") * (40 + 1000 * name.startswith("model")) for name in NAMES}
        for model in ("gpt2", "gpt2-medium"):
            for name in NAMES:
                file = File(self.data[name], large=name.startswith("model"))
                self.world.files[f"/openai-community/{model}/resolve/main/{name}"] = file
        self.pin({f"*/{name}": sha256(self.data[name]) for name in NAMES[1:]})

    def serve(self, role: str) -> http.server.ThreadingHTTPServer:
        handler = type("RoleHandler", (Handler,), {"world": self.world, "role": role})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def address(self, role: str) -> str:
        return f"http://127.0.0.1:{self.servers[role].server_port}"

    def pin(self, digests: dict[str, str]) -> None:
        lines = [f"{digest}  {name}\n" for name, digest in digests.items()]
        (self.root / "scripts" / "gpt2_sha256.txt").write_text("# digests\n" + "".join(lines))

    def file(self, name: str) -> File:
        return self.world.files[f"/openai-community/gpt2/resolve/main/{name}"]

    def environment(self, changes: dict[str, str]) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k != "HF_TOKEN"}
        return kept | {"HF_ENDPOINT": self.address("hub") + "/", "LC_ALL": "C"} | changes

    def run_script(
        self, *arguments: str, script: str = "download_gpt2.sh", environment: dict[str, str] | None = None, **options
    ) -> subprocess.CompletedProcess:
        self.world.requests.clear()
        return subprocess.run(
            [self.root / "scripts" / script, *arguments],
            env=self.environment(environment or {}), capture_output=True, text=True, timeout=60, **options,
        )  # fmt: skip

    def expect_done(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        result = self.run_script(*arguments, **options)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout + result.stderr)
        return result

    def expect_failure(self, *words: str, **options) -> subprocess.CompletedProcess:
        result = self.run_script(**options)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        return result

    def expect_whole(self, folder: Path | None = None) -> None:
        found = {path.name: path.read_bytes() for path in (folder or self.folder).iterdir()}
        self.assertEqual(found, self.data)

    def test_all_files_come_checked_and_nothing_else_is_left(self) -> None:
        result = self.expect_done(environment={"HF_TOKEN": "hf_Secret"})
        self.expect_whole()
        for name in NAMES:
            self.assertIn(f"{name}: loaded, {len(self.data[name])} bytes", result.stdout)
        self.assertEqual(self.world.gets("")[-1].path[-len(NAMES[3]) :], NAMES[3], "the weights come last")
        tokens = {(r.server, r.authorization) for r in self.world.requests}
        self.assertEqual(tokens, {("hub", "Bearer hf_Secret"), ("store", None)})

    def test_names_and_folders(self) -> None:
        self.expect_done("355M")
        self.expect_whole(self.root / "weights" / "gpt2-medium")
        self.expect_done("124M", str(self.root / "else where"))
        self.expect_whole(self.root / "else where")
        result = self.run_script("gpt3")
        self.assertEqual(result.returncode, 2)
        self.assertIn("found 'gpt3', expected one of gpt2, gpt2-medium", result.stderr)
        self.assertIn("scripts/download_gpt2.sh [gpt2|", self.expect_done("--help").stdout)

    def test_what_is_there_and_right_is_kept(self) -> None:
        self.expect_done()
        before = {path: path.stat().st_mtime_ns for path in self.folder.iterdir()}
        self.expect_done()
        self.assertEqual([r.method for r in self.world.requests], ["HEAD"], "only the unpinned file is asked about")
        self.assertEqual({path: path.stat().st_mtime_ns for path in self.folder.iterdir()}, before)

    def test_a_whole_folder_needs_no_network(self) -> None:
        self.expect_done()
        result = self.expect_done(environment={"HF_ENDPOINT": "http://127.0.0.1:9"})
        self.assertIn("config.json: is there; kept without a look", result.stdout)

    def test_what_is_there_and_wrong_is_replaced(self) -> None:
        self.expect_done()
        for name in NAMES:
            (self.folder / name).write_bytes(b"x" + self.data[name][1:])
        result = self.expect_done()
        self.expect_whole()
        self.assertIn(f"expected {sha256(self.data['vocab.json'])}: loading it anew", result.stdout)
        self.assertIn(f"git's SHA-1 is {git_sha1(b'x' + self.data['config.json'][1:])}", result.stdout)

    def test_no_network(self) -> None:
        self.expect_failure("config.json: ", "no network", environment={"HF_ENDPOINT": "http://127.0.0.1:9"})
        self.expect_failure("config.json: ", "resolved", environment={"HF_ENDPOINT": "http://no-such-host.invalid"})
        self.assertFalse(self.folder.exists())

    def test_a_file_that_the_hub_has_not(self) -> None:
        self.file("merges.txt").status = 404
        self.expect_failure("merges.txt: HTTP status 404: there is no such file", "/resolve/main/merges.txt")
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["config.json", "vocab.json"])

    def test_a_hub_that_wants_a_token(self) -> None:
        self.file("config.json").status = 401
        self.expect_failure("config.json: HTTP status 401", "HF_TOKEN")
        self.expect_failure("HF_TOKEN: holds characters", environment={"HF_TOKEN": 'a"b\nc'})

    def test_connections_that_break_are_gone_on_with(self) -> None:
        self.file("model.safetensors").cut = 4000
        self.expect_done()
        self.expect_whole()
        begins = [r.range for r in self.world.gets("model.safetensors") if r.server == "store"]
        size = len(self.data["model.safetensors"])
        self.assertEqual(begins, [None] + [f"bytes={at}-" for at in range(4000, size, 4000)])

    def test_a_download_that_was_broken_off_is_gone_on_with_by_the_next_run(self) -> None:
        part = self.folder / "model.safetensors.part"
        file = self.file("model.safetensors")
        file.cut, file.pause = 9000, 20
        process = subprocess.Popen(
            [self.root / "scripts" / "download_gpt2.sh"], env=self.environment({}), start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        deadline = time.monotonic() + 20
        while not (part.exists() and part.stat().st_size > 0) and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        self.assertIn("run it again to go on", process.communicate(timeout=20)[1])
        self.assertEqual(process.returncode, 130)
        file.cut, file.pause = None, 0
        kept = part.stat().st_size
        self.assertGreater(kept, 0)
        self.expect_done()
        self.expect_whole()
        self.assertEqual(self.world.gets("model.safetensors")[-1].range, f"bytes={kept}-")

    def test_a_connection_that_always_breaks_ends_in_an_error(self) -> None:
        self.file("model.safetensors").cut = 0
        self.expect_failure("model.safetensors: the connection broke")
        self.assertEqual(len([r for r in self.world.gets("model.safetensors") if r.server == "store"]), 5)

    def test_a_server_that_is_busy_is_asked_again(self) -> None:
        self.file("model.safetensors").refusals = 2
        self.expect_done()
        self.expect_whole()

    def test_a_server_without_ranges_starts_anew(self) -> None:
        file = self.file("model.safetensors")
        file.ranges, file.cut, file.cuts = False, 5000, 1
        self.expect_done()
        self.expect_whole()
        self.assertEqual(
            [r.range for r in self.world.gets("model.safetensors") if r.server == "store"], [None, "bytes=5000-", None]
        )

    def test_a_rest_of_another_file_starts_anew(self) -> None:
        self.folder.mkdir(parents=True)
        size = len(self.data["model.safetensors"])
        for rest in (b"y" * 100, b"y" * size, b"y" * (size + 5)):
            (self.folder / "model.safetensors.part").write_bytes(rest)
            self.expect_done()
            self.expect_whole()
            (self.folder / "model.safetensors").unlink()

    def test_wrong_bytes_are_named_and_removed(self) -> None:
        for name in NAMES:
            file = self.file(name)
            file.served = b"z" + file.data[1:]
            kind = "git's SHA-1" if name == "config.json" else "SHA-256"
            digest = git_sha1 if name == "config.json" else sha256
            self.expect_failure(
                f"{name}: {kind} is {digest(file.served)}, expected {digest(file.data)}; removed ({self.address('hub')}"
            )
            self.assertEqual([p.name for p in self.folder.iterdir() if p.name.startswith(name)], [])
            file.served = None

    def test_too_few_bytes_are_named_and_removed(self) -> None:
        self.file("config.json").served = b"{}"
        self.file("config.json").moved = True
        self.expect_failure("config.json: git's SHA-1 is")

    def test_a_hub_with_another_file_is_not_loaded_from(self) -> None:
        other = sha256(b"other")
        self.file("model.safetensors").tag = other
        expected = sha256(self.data["model.safetensors"])
        self.expect_failure(
            f"model.safetensors: the hub has another file: SHA-256 is {other}, expected {expected}"
        )
        self.assertEqual(self.world.gets("model.safetensors"), [])

    def test_redirections_within_the_hub_and_hubs_that_name_no_digest(self) -> None:
        self.file("config.json").moved = True
        result = self.expect_done()
        self.assertIn("config.json: loaded, 560 bytes, its git's SHA-1 is right", result.stdout)
        shutil.rmtree(self.folder)
        for name in NAMES:
            self.file(name).tag = ""
        result = self.expect_done()
        self.expect_whole()
        self.assertIn("config.json: loaded, 560 bytes; the hub names no digest of it", result.stdout)
        self.assertIn("its SHA-256 is right", result.stdout)

    def test_a_disk_without_room(self) -> None:
        self.file("model.safetensors").size = 1 << 60
        self.expect_failure("model.safetensors: 1099511627776 MiB are still to come", "are free")
        self.assertEqual(self.world.gets("model.safetensors"), [])

    def test_a_disk_that_runs_full(self) -> None:
        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

        self.expect_failure(
            "model.safetensors: cannot be written", "is the disk full?", preexec_fn=limit, restore_signals=False
        )
        self.assertFalse((self.folder / "model.safetensors").exists())

    def test_progress_on_a_terminal_only(self) -> None:
        self.file("model.safetensors").pause = 0.3
        terminal, other = pty.openpty()
        process = subprocess.Popen(
            [self.root / "scripts" / "download_gpt2.sh"], env=self.environment({}), stdout=subprocess.DEVNULL,
            stderr=other,
        )  # fmt: skip
        os.close(other)
        shown = b""
        try:
            while piece := os.read(terminal, 4096):
                shown += piece
        except OSError:  # the other end is closed
            pass
        os.close(terminal)
        self.assertEqual(process.wait(timeout=20), 0)
        self.assertIn(b"100.0%", shown)
        self.expect_whole()

    def test_the_vocabulary_alone(self) -> None:
        self.expect_done(script="fetch_vocabulary.sh")
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["merges.txt", "vocab.json"])
        self.assertIn("are there", self.expect_done(script="fetch_vocabulary.sh").stdout)
        self.assertEqual(self.world.requests, [])

    def test_the_vocabulary_where_no_source_gives_it(self) -> None:
        stub = self.root / "bin" / "python3"
        stub.parent.mkdir()
        stub.write_text("#!/bin/sh\nexit 1\n")
        stub.chmod(0o755)
        self.file("vocab.json").served = b"{}"
        path = f"{stub.parent}:{os.environ['PATH']}"
        self.expect_failure("no source gave", script="fetch_vocabulary.sh", environment={"PATH": path})
        self.assertFalse((self.folder / "vocab.json").exists())


if __name__ == "__main__":
    # What a shell starts in the background ignores the signal, and what that starts inherits it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    unittest.main()
