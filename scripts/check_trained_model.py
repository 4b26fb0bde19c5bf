#!/usr/bin/env python3
"""Trains a model by PROGRAM and reads the folder that comes of it with Hugging Face transformers and llama.cpp's converter.

    python3 scripts/check_trained_model.py PROGRAM [--converter FILE --vocabulary DIR]

A few steps on weights/dialogue.txt make a model with a vocabulary of its own. transformers must make the same ids of a
text, and logits that agree within 1e-4. With --converter, llama.cpp's convert_hf_to_gguf.py, a second model with GPT-2's
vocabulary (--vocabulary, the folder of vocab.json and merges.txt; scripts/fetch_vocabulary.sh gets it) is converted, and
PROGRAM must read the file with the same ids and logits. The converter knows vocabularies by their names, so it takes no
other one.

Needs numpy, torch and transformers, and for --converter gguf; the environment that scripts/install_peers.sh makes has them,
and llama.cpp's sources too. Exit code: 0 where all agrees, 1 otherwise or where a package is missing, 2 for wrong use.
"""

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "weights" / "dialogue.txt"
TEXT = "USER: Who are you?\nGPT: I am a small model.  It's 5 o'clock, na\u00efve \u2014 \U0001f426 and done."
TOLERANCE = 1e-4
ENVIRONMENT = os.environ | {"GPT2_BENCH_HOME": str(ROOT), "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


def fail(text: str) -> None:
    sys.exit(f"check_trained_model.py: {text}")


def require(*packages: str) -> None:
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        fail(f"missing: {', '.join(missing)}; pip install {' '.join(missing)}")


class Program:
    def __init__(self, path: str) -> None:
        self.path = path

    def run(self, *words: str) -> str:
        done = subprocess.run([self.path, *words], capture_output=True, text=True, env=ENVIRONMENT)
        if done.returncode != 0:
            fail(f"{words[0]} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        return done.stdout

    def train(self, folder: Path, *words: str) -> None:
        self.run(
            "train", "--data", str(DATA), "--layers", "2", "--heads", "2", "--channels", "32", "--context", "128",
            "--batch", "2", "--steps", "5", "--quiet", "--out", str(folder), *words)  # fmt: skip

    def ids(self, model: Path) -> list[int]:
        return [int(word) for word in self.run("tokenize", TEXT, "--model", str(model)).split()]

    def logits(self, model: Path, ids: list[int], out: Path):
        import numpy

        self.run("logits", "--model", str(model), "--ids", " ".join(map(str, ids)), "--out", str(out), "--quiet")
        return numpy.load(out)


def expect_same(name: str, ids: list[int], other_ids: list[int], logits, other_logits) -> None:
    """Ends the program where ids or logits of another reader differ from ours."""
    if ids != other_ids:
        place = next((i for i, (a, b) in enumerate(zip(ids, other_ids)) if a != b), min(len(ids), len(other_ids)))
        fail(f"{name}: id {place} of the text differs: {other_ids[place : place + 3]}, ours {ids[place : place + 3]}")
    if logits.shape != other_logits.shape:
        fail(f"{name}: logits have the shape {other_logits.shape}, ours {logits.shape}")
    error = float(abs(logits - other_logits).max())
    if not error <= TOLERANCE:
        fail(f"{name}: logits differ by {error:.1e}, allowed {TOLERANCE:.0e}")
    print(f"{name}: {len(ids)} ids are the same, logits differ by at most {error:.1e}")


def check_transformers(program: Program, folder: Path, work: Path) -> None:
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = program.ids(folder)
    with torch.no_grad():
        theirs = model(torch.tensor([ids])).logits[0].numpy()
    name = f"transformers {transformers.__version__}"
    expect_same(name, ids, tokenizer(TEXT)["input_ids"], program.logits(folder, ids, work / "ours.npy"), theirs)


def check_converter(program: Program, folder: Path, work: Path, converter: Path) -> None:
    file = work / "converted.gguf"
    done = subprocess.run(
        [sys.executable, str(converter), str(folder), "--outtype", "f32", "--outfile", str(file)],
        capture_output=True, text=True, env=ENVIRONMENT)  # fmt: skip
    if done.returncode != 0 or not file.is_file():
        fail(f"{converter.name} ended with {done.returncode}: {' '.join(done.stderr.split())[-300:]}")
    ids = program.ids(folder)
    expect_same(
        converter.name, ids, program.ids(file), program.logits(folder, ids, work / "folder.npy"),
        program.logits(file, ids, work / "file.npy"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="PROGRAM", help="a built gpt2-bench")
    parser.add_argument("--converter", type=Path, help="llama.cpp's convert_hf_to_gguf.py (default: left out)")
    parser.add_argument("--vocabulary", type=Path, help="GPT-2's, for --converter")
    options = parser.parse_args()
    path = shutil.which(options.program)
    if path is None:
        parser.error(f"PROGRAM: {options.program} cannot be run")
    if (options.converter is None) != (options.vocabulary is None):
        parser.error("--converter and --vocabulary: found one of them, expected both or none")
    if options.converter and not options.converter.is_file():
        parser.error(f"--converter: {options.converter} is no file")
    require("numpy", "torch", "transformers", *(["gguf"] if options.converter else []))
    program = Program(os.path.abspath(path))
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        program.train(work / "own", "--vocabulary-size", "400")
        check_transformers(program, work / "own", work)
        if options.converter:
            program.train(work / "gpt2", "--vocabulary", str(options.vocabulary))
            check_converter(program, work / "gpt2", work, options.converter)


if __name__ == "__main__":
    main()
