#!/usr/bin/env python3
"""Tests Benchmarks/peers/worker.py and scripts/try_peer.py with an engine that computes nothing, and what
scripts/install_peers.sh says of the real ones; installs nothing.

    python3 scripts/test_peers.py
"""

import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VOCABULARY, CONTEXT = 5, 8
DUMMY = """
import os, sys
from array import array
import worker

class Dummy(worker.Engine):
    # The next id is the last one and as many as there were before it, modulo the vocabulary.
    folders = {"f32": "dummy", "q8_0": "dummy-q8_0"}

    def start(self, threads, options):
        print("a library greets")
        os.system("echo a process greets")
        return "dummy " + os.environ["OMP_NUM_THREADS"]

    def open(self, model, configuration):
        print("opening", model.name)
        self.vocabulary = configuration["vocab_size"]

    def prefill(self, ids):
        print("a prompt of", len(ids))
        self.ids = list(ids)
        return self.row()

    def step(self, token):
        self.ids.append(token)
        if token == 4:
            raise ValueError("four\\nis not liked")
        return self.row()

    def row(self):
        print("computing")
        best = (self.ids[-1] + len(self.ids) - 1) % self.vocabulary
        return array("f", [1.0 if token == best else -0.25 * token for token in range(self.vocabulary)])

    def argmax(self, row):
        return row.index(max(row))

    def train(self, windows, how):
        return 1000 * len(windows), how.learning_rate + how.beta2 if how.clip else float("nan")

worker.main(Dummy())
"""


# A gpt2-bench that has the dummy's logits, or their opposite, and two of its three ids after 1 and 2.
BENCH = """
import os, sys
from array import array

if sys.argv[1] == "generate":
    print("3 0 0")
else:
    sign = float(os.environ["SIGN"])
    rows = array("f")
    for place, last in enumerate([1, 2]):
        best = (last + place) % 5
        rows.extend(sign * (1.0 if token == best else -0.25 * token) for token in range(5))
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 5), }\\n".encode()
    with open(sys.argv[sys.argv.index("--out") + 1], "wb") as file:
        file.write(bytes([147]) + b"NUMPY" + bytes([1, 0]) + len(header).to_bytes(2, "little") + header)
        rows.tofile(file)
"""
# Prints the weights that a peer's script takes from its options, and their folder.
FOLDER = """
import runpy, sys
sys.path.insert(0, sys.argv[1].rpartition("/")[0])
import worker
worker.serve_standard_streams = lambda operations: print(
    operations["load"].__self__.options_of_engine.weights, operations["load"].__self__.folder)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
# Prints what peer_pytorch.py says of a first step that fails, and of the step after it.
FAILING_STEP = """
import sys
import peer_pytorch, worker

class Failing(peer_pytorch.PyTorch):
    compile_failure = None

    def _loss(self, model, inputs, targets):
        raise MemoryError(sys.argv[1])

engine = Failing()
for _ in range(2):
    try:
        engine._compile(None, None, None)
    except worker.Refusal as refusal:
        print(refusal)
"""


class Session:
    """A contestant with the dummy engine and a folder of models with one in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.weights = folder / "model.safetensors"
        self.weights.write_bytes(b"weights")
        model = {
            "model": "synthetic:dummy",
            "configuration": {"vocab_size": VOCABULARY, "n_positions": CONTEXT, "n_head": 1, "n_embd": 1},
            "safetensors": {"bytes": 7, "sha256": hashlib.sha256(b"weights").hexdigest()},
        }
        self.models = folder / "models" / "one"
        self.description = json.dumps(model)
        self.add("dummy")
        script = folder / "dummy.py"
        script.write_text(DUMMY)
        self.command = [sys.executable, str(script), "--models", str(folder / "models")]
        self.environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        self.environment["PYTHONPATH"] = str(ROOT / "Benchmarks" / "peers")

    def add(self, name: str) -> None:
        """The model as an engine's folder of that name has it."""
        (self.models / name).mkdir(parents=True)
        (self.models / name / "model.json").write_text(self.description)

    def talk(self, *lines: str | dict, options: tuple[str, ...] = ()) -> list[dict]:
        """Sends everything, ends the input, and answers what came back; every line of it must be JSON."""
        text = "".join((json.dumps(line) if isinstance(line, dict) else line) + "\n" for line in lines)
        done = subprocess.run(
            [*self.command, *options], input=text.encode(), capture_output=True, timeout=60, env=self.environment
        )
        assert done.returncode == 0, done.stderr.decode()
        self.errors = done.stderr.decode()
        return [json.loads(line) for line in done.stdout.splitlines()]


def load(number: int = 1, **changed) -> dict:
    payload = {"model": "synthetic:dummy", "variant": "dummy", "threads": 2, "cold": False} | changed
    return {"id": number, "operation": "load", "payload": payload}


def run(number: int, prompts: list, tokens: int, **more) -> dict:
    generation = {"prompts": prompts, "text": None, "tokens": tokens} | more
    return {"id": number, "operation": "run", "payload": {"generation": generation}}


def train(number: int, windows: list, **changed) -> dict:
    how = {"learningRate": 1e-3, "weightDecay": 0.1, "beta1": 0.9, "beta2": 0.5, "epsilon": 1e-8, "clip": 1}
    return {"id": number, "operation": "run", "payload": {"training": {"windows": windows} | how | changed}}


class WorkerTests(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.session = Session(Path(self.folder.name))

    def refused(self, answer: dict, number: int | None, *words: str) -> None:
        self.assertEqual((answer["id"], answer["ok"]), (number, False))
        for word in words:
            self.assertIn(word, answer["error"])
        self.assertNotIn("\n", answer["error"])
        self.assertNotIn("result", answer)

    def test_lines_that_are_no_request(self) -> None:
        bad = ["{", '{"id":1,"operation":"load","payload":{"threads":NaN}}', "[]", '{"id":true,"operation":"memory"}']
        bad += ['{"id":7}', '{"id":8,"operation":"memory","payload":[]}', "[" * 100_000]
        answers = self.session.talk(*bad, "", "   ", {"id": 9, "operation": "quit"})
        for answer, number in zip(answers, [None, None, None, None, 7, 8, None, 9], strict=True):
            if number == 9:
                self.assertEqual(answer, {"id": 9, "ok": True, "result": {}})
            else:
                self.refused(answer, number, "malformed request")

    def test_unknown_operation_names_those_that_are_known(self) -> None:
        [answer] = self.session.talk({"id": 3, "operation": "dance"})
        self.refused(answer, 3, "unknown operation dance", "load, logits, memory, quit, run")

    def test_nothing_is_served_after_quit(self) -> None:
        answers = self.session.talk({"id": 1, "operation": "quit"}, {"id": 2, "operation": "memory"})
        self.assertEqual(answers, [{"id": 1, "ok": True, "result": {}}])

    def test_end_of_input_ends_the_process(self) -> None:
        self.assertEqual(self.session.talk(), [])

    def test_load_says_what_was_loaded(self) -> None:
        [answer] = self.session.talk(load())
        result = answer["result"]
        self.assertGreaterEqual(result["loadNanoseconds"], 0)
        if sys.platform == "linux":
            self.assertGreater(result["baselineBytes"], 1 << 20)
        self.assertIsNone(result["wasCold"])
        told = {key: result[key] for key in ("threads", "weights", "version")}
        self.assertEqual(told, {"threads": 2, "weights": "f32", "version": "dummy 2"})

    def test_weights_choose_the_folder_and_are_told(self) -> None:
        options = ("--weights", "q8_0")
        self.refused(self.session.talk(load(), options=options)[0], 1, "not converted for dummy-q8_0")
        self.session.add("dummy-q8_0")
        for chosen, weights, folder in ((options, "q8_0", "dummy-q8_0"), ((), "f32", "dummy")):
            [answer] = self.session.talk(load(), options=chosen)
            self.assertEqual(answer["result"]["weights"], weights)
            self.assertIn(f"opening {folder}\n", self.session.errors)

    def test_weights_that_no_folder_has_are_wrong_usage(self) -> None:
        command = [*self.session.command, "--weights", "int3"]
        done = subprocess.run(command, capture_output=True, env=self.session.environment, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"int3", done.stderr)

    def test_what_libraries_print_goes_to_standard_error(self) -> None:
        self.assertEqual([answer["ok"] for answer in self.session.talk(load(), run(2, [[1]], 2))], [True, True])
        for text in ("a library greets", "a process greets", "computing"):
            self.assertIn(text, self.session.errors)

    def test_a_model_is_found_by_name_or_content(self) -> None:
        other = self.session.folder / "other.safetensors"
        other.write_bytes(b"something else")
        models = ["synthetic:dummy", str(self.session.weights), str(self.session.folder)]
        self.assertTrue(all(answer["ok"] for answer in self.session.talk(*(load(model=model) for model in models))))
        answers = self.session.talk(
            load(1, model="synthetic:gpt2"), load(2, model=str(other)), load(3, model="/no/such"), load(4, model=None)
        )
        self.refused(answers[0], 1, "model synthetic:gpt2", "only: synthetic:dummy", "install_peers.sh")
        self.refused(answers[1], 2, "other.safetensors", "only: synthetic:dummy")
        self.refused(answers[2], 3, "/no/such", "is no file")
        self.refused(answers[3], 4, "without a model")

    def test_a_second_load_keeps_its_threads(self) -> None:
        answers = self.session.talk(load(1), load(2), load(3, threads=1), load(4, threads=0), run(5, [[1]], 1))
        self.assertEqual([answer["ok"] for answer in answers], [True, True, False, False, True])
        self.refused(answers[2], 3, "load for 1 threads", "keeps the 2")
        self.refused(answers[3], 4, "threads: found 0")

    def test_run_is_greedy_and_starts_from_an_empty_cache(self) -> None:
        _, first, second = self.session.talk(load(), run(2, [[1, 2]], 3), run(3, [[1, 2]], 3))
        for answer in (first, second):
            result = answer["result"]
            self.assertEqual(result["ids"], [[3, 0, 3]])
            times = result["tokenNanoseconds"]
            self.assertEqual(times, sorted(times))
            self.assertEqual(len(times), 3)
            self.assertLessEqual(result["prefillNanoseconds"], times[0])
            self.assertGreaterEqual(result["elapsedNanoseconds"], times[-1])
            self.assertEqual(result["iterations"], 1)

    def test_runs_that_are_refused(self) -> None:
        self.refused(self.session.talk(run(1, [[1]], 1))[0], 1, "no model is loaded")
        requests = [
            run(2, [[1], [2]], 1),
            run(3, [], 1),
            run(4, [[1]], 1, text="one"),
            run(5, [[1]], 0),
            run(6, [[]], 1),
            run(7, [[1, 5]], 1),
            run(8, [[1, 1.5]], 1),
            run(9, [[1] * 8], 2),
            {"id": 10, "operation": "run", "payload": {"gemm": {"m": 1, "k": 1, "n": 1}}},
        ]
        answers = self.session.talk(load(), *requests, run(11, [[1] * 8], 1))[1:]
        expected = ["prompts: found 2", "prompts: found 0", "text", "tokens: found 0", "ids: found none"]
        expected += ["id 5 at position 1", "id 1.5 at position 1", "context of 8", "no generation"]
        for answer, request, text in zip(answers, requests, expected):
            self.refused(answer, request["id"], text)
        self.assertTrue(answers[-1]["ok"])

    def test_a_step_of_training_is_timed_by_the_engine(self) -> None:
        answers = self.session.talk(load(), train(2, [[1, 2, 3], [4, 3, 2]]), train(3, [[1] * 9], learningRate=2))
        for answer, elapsed, loss in zip(answers[1:], (2000, 1000), (0.501, 2.5), strict=True):
            result = answer["result"]
            self.assertEqual((result["elapsedNanoseconds"], result["loss"]), (elapsed, loss))
            self.assertEqual((result["iterations"], result["ids"], result["tokenNanoseconds"]), (1, [], []))

    def test_training_that_is_refused(self) -> None:
        self.refused(self.session.talk(train(1, [[1, 2]]))[0], 1, "no model is loaded")
        requests = {
            "windows: found none": train(2, []),
            "ids: found none": train(3, [[1]]),
            "windows[1]: expected a list of ids": train(4, [[1, 2], [1, 2, 3]]),
            "id 5 at position 0": train(5, [[1, 5]]),
            "context of 8": train(6, [[1] * 10]),
            "beta1: found None": train(7, [[1, 2]], beta1=None),
            "the loss is nan": train(8, [[1, 2]], clip=0),
        }
        answers = self.session.talk(load(), *requests.values(), train(9, [[1, 2]]))[1:]
        for answer, (text, request) in zip(answers, requests.items()):
            self.refused(answer, request["id"], text)
        self.assertTrue(answers[-1]["ok"])

    def test_context_may_be_made_smaller(self) -> None:
        answers = self.session.talk(load(), run(2, [[1, 2]], 2), run(3, [[1, 2]], 3), options=("--context", "3"))
        self.assertEqual([answer["ok"] for answer in answers], [True, True, False])
        self.refused(answers[2], 3, "context of 3")

    def test_an_engine_that_raises_is_a_refusal(self) -> None:
        answers = self.session.talk(load(), run(2, [[4]], 3), run(3, [[1]], 1))
        self.refused(answers[1], 2, "ValueError: four is not liked")
        self.assertTrue(answers[2]["ok"])
        self.assertIn("Traceback", self.session.errors)

    def test_logits_of_the_last_positions(self) -> None:
        out = self.session.folder / "logits.npy"
        request = {"id": 2, "operation": "logits", "payload": {"ids": [0, 1, 0], "out": str(out)}}
        self.assertEqual(self.session.talk(load(), request)[1]["result"], {"positions": 3})
        data = out.read_bytes()
        self.assertEqual(data[:8], b"\x93NUMPY\x01\x00")
        length = struct.unpack("<H", data[8:10])[0]
        self.assertEqual((10 + length) % 64, 0)
        header = eval(data[10 : 10 + length])
        self.assertEqual(header, {"descr": "<f4", "fortran_order": False, "shape": (3, VOCABULARY)})
        values = struct.unpack("<15f", data[10 + length :])
        best = [max(range(VOCABULARY), key=lambda token: values[row * VOCABULARY + token]) for row in range(3)]
        self.assertEqual(best, [0, 2, 2])
        # Steps make the positions before the last, which a prefill of the whole prompt makes.
        prompts = [line for line in self.session.errors.splitlines() if line.startswith("a prompt")]
        self.assertEqual(prompts, ["a prompt of 1", "a prompt of 3"])

    def test_logits_that_are_refused(self) -> None:
        requests = [{"ids": [], "out": "x"}, {"ids": [1]}, {"ids": [1], "out": "/no/such/folder/x.npy"}]
        requests = [{"id": 2, "operation": "logits", "payload": payload} for payload in requests]
        answers = self.session.talk(load(), *requests)[1:]
        for answer, text in zip(answers, ["ids: found none", "out: found None", "/no/such/folder/x.npy"], strict=True):
            self.refused(answer, 2, text)

    def test_memory(self) -> None:
        [answer] = self.session.talk({"id": 1, "operation": "memory"})
        self.assertGreater(answer["result"]["peakBytes"], 1 << 20)

    def test_try_peer_drives_it(self) -> None:
        for ids, code in (("1 2", 0), ("4", 1)):
            command = [sys.executable, str(ROOT / "scripts" / "try_peer.py"), "--model", "synthetic:dummy", "-t", "1"]
            command += ["--ids", ids, "-n", "3", *self.session.command]
            done = subprocess.run(command, capture_output=True, env=self.session.environment, timeout=60)
            self.assertEqual(done.returncode, code, done.stderr.decode())
        self.assertIn(b"ValueError: four is not liked", done.stderr)

    def test_try_peer_tells_the_quality(self) -> None:
        self.session.add("dummy-q8_0")
        bench = self.session.folder / "bench"
        bench.write_text(f"#!{sys.executable}\n{BENCH}")
        bench.chmod(0o755)
        environment = self.session.environment | {"SIGN": "1"}
        command = [sys.executable, str(ROOT / "scripts" / "try_peer.py"), "--model", "synthetic:dummy", "-t", "1"]
        command += ["--ids", "1 2", "-n", "3", "--bench", str(bench), *self.session.command, "--weights", "q8_0"]
        done = subprocess.run(command, capture_output=True, env=environment, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn(b"weights q8_0: KL 0, top-1 2 of 2", done.stdout)
        self.assertIn(b"the first 2 of 3 ids are those of kv-cache", done.stdout)
        done = subprocess.run(command, capture_output=True, env=environment | {"SIGN": "-1"}, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"expected at most 0.05", done.stderr)


class CompiledTraining(unittest.TestCase):
    """What peer_pytorch.py says where the first step with torch.compile fails; PyTorch is not imported."""

    def test_a_step_that_fails_is_told_by_its_exception(self) -> None:
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        environment["PYTHONPATH"] = str(ROOT / "Benchmarks" / "peers")
        for message, told in (("\n  no room\nand a trace", "MemoryError: no room"), ("", "MemoryError")):
            command = [sys.executable, "-c", FAILING_STEP, message]
            done = subprocess.run(command, capture_output=True, timeout=60, env=environment)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            line = f"training: the first step with torch.compile failed: {told}"
            self.assertEqual(done.stdout.decode().splitlines(), [line, line])
            self.assertEqual(done.stderr.count(b"Traceback"), 1)


class InstalledContestants(unittest.TestCase):
    """The list in install_peers.sh against the scripts that it names; these import their engines late."""

    def test_each_line_is_understood_by_its_script(self) -> None:
        text = (ROOT / "scripts" / "install_peers.sh").read_text(encoding="utf-8")
        lines = [line.split() for line in text.split("<<'END'\n")[1].split("\nEND\n")[0].splitlines()]
        self.assertEqual(len({name for name, *_ in lines}), len(lines))
        told = set()
        for name, models, script, *options in lines:
            path = ROOT / "Benchmarks" / "peers" / f"peer_{script}.py"
            done = subprocess.run([sys.executable, "-c", FOLDER, str(path), *options], capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            weights, folder = done.stdout.decode().split()
            self.assertEqual(folder, models, name)
            self.assertIn(f"--weights {weights}", " ".join(options), name)
            told.add(weights)
        self.assertEqual(told, {"f32", "bf16", "f16", "int8", "q8_0", "q4_0"})


if __name__ == "__main__":
    unittest.main()
