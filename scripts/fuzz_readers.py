"""The readers that scripts/fuzz.py tries: the valid files that each begins with, and one mutated input of them."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import fuzz_inputs as valid
import fuzz_training as trained
from fuzz_mutations import (
    END_OF_KEYS,
    NUMBERS,
    changed_bytes,
    changed_json,
    changed_lines,
    changed_words,
    hostile_text,
    keys,
)


@dataclass
class Input:
    """Files of a reader's folder that are not as the valid ones are, and what is asked then."""

    #: None for one that is missing.
    files: dict[str, bytes | None] = field(default_factory=dict)
    #: What `fuzz-readers` is asked; empty for what only the program reads.
    request: list[str] = field(default_factory=list)
    #: The program's arguments that read the same; empty for none.
    words: list[bytes] = field(default_factory=list)
    #: What the program, or its worker, gets on its standard input.
    text: bytes = b""
    #: Mutated inputs that this holds.
    count: int = 1


@dataclass
class Reader:
    name: str
    make: Callable[[random.Random], Input]
    files: dict[str, bytes]
    #: Of all inputs, relative to the other readers.
    share: float = 100
    #: Whether one `worker` process gets the text of many inputs.
    is_worker: bool = False
    #: Whether the text goes into a terminal.
    is_terminal: bool = False


def words(*line: str) -> list[bytes]:
    return [word.encode() for word in line]


def weights(
    name: str, file: str, changed: Callable[[random.Random], bytes], files: dict[str, bytes], model: str = "."
) -> Reader:
    """A reader of a model, whose one file is mutated."""

    def make(rng: random.Random) -> Input:
        command = words("logits", "--ids", "0 1", "--model", model, "--variant", "packed", "-t", "1", "--out", "w.npy")
        return Input({file: None if rng.random() < 0.002 else changed(rng)}, ["weights", model], command)

    return Reader(name, make, files)


def safetensors() -> Reader:
    header, data = valid.safetensors(valid.shapes())

    def changed(rng: random.Random) -> bytes:
        if rng.random() < 0.7:
            return valid.whole(
                changed_json(header, rng), data[: rng.choice([len(data)] * 9 + [rng.randrange(len(data))])]
            )
        return changed_bytes(valid.whole(header, data), rng, 8 + len(header))

    files = {"model.safetensors": valid.whole(header, data), "config.json": valid.config()}
    return weights("safetensors", "model.safetensors", changed, files)


def index() -> Reader:
    all_shapes = valid.shapes()
    halves = [dict(list(all_shapes.items())[:8]), dict(list(all_shapes.items())[8:])]
    files = {f"{number}.safetensors": valid.whole(*valid.safetensors(half)) for number, half in enumerate(halves)}
    places = {name: f"{number}.safetensors" for number, half in enumerate(halves) for name in half}
    own = valid.dumped({"metadata": {"total_size": 4 * 391}, "weight_map": places})
    name = "model.safetensors.index.json"
    return weights(
        "index", name, lambda rng: changed_json(own, rng), files | {name: own, "config.json": valid.config()}
    )


def config() -> Reader:
    files = {"model.safetensors": valid.whole(*valid.safetensors(valid.shapes())), "config.json": valid.config()}
    return weights("config", "config.json", lambda rng: changed_json(valid.config(), rng), files)


def sequential(name: str, file: str, content: bytes, header: int) -> Reader:
    return weights(name, file, lambda rng: changed_bytes(content, rng, header), {file: content}, model=file)


def tokenizer() -> Reader:
    files = valid.tokenizer_files()

    def make(rng: random.Random) -> Input:
        changes: dict[str, bytes | None] = {name: None for name in files if rng.random() < 0.15}
        for name in rng.sample(list(files), rng.choice([1, 1, 1, 2])):
            changes[name] = changed_lines(files[name], rng) if name == "merges.txt" else changed_json(files[name], rng)
        return Input(changes, ["tokenizer", "."], words("tokenize", "the ab<|user|> é", "--model", "."))

    return Reader("tokenizer", make, files)


def reference() -> Reader:
    files = valid.reference()

    def make(rng: random.Random) -> Input:
        changes: dict[str, bytes | None] = {}
        if rng.random() < 0.7:
            changes["reference.json"] = changed_json(files["reference.json"], rng)
        else:
            changes["p0.npy"] = changed_bytes(files["p0.npy"], rng, 128)
        return Input(changes, ["reference", "."])

    return Reader("reference", make, files)


def continuations() -> Reader:
    own = valid.continuations()

    def make(rng: random.Random) -> Input:
        return Input({"continuations.json": changed_json(own, rng)}, ["continuations", "continuations.json"])

    return Reader("continuations", make, {})


def npy() -> Reader:
    own = valid.npy(3, 2)
    return Reader("npy", lambda rng: Input({"a.npy": changed_bytes(own, rng, 128)}, ["npy", "a.npy"]), {}, share=50)


def synthetic() -> Reader:
    def make(rng: random.Random) -> Input:
        numbers = [str(size) for size in valid.SHAPE]
        for _ in range(rng.choice([0, 1, 1, 2])):
            numbers[rng.randrange(5)] = str(rng.choice([1, 2, 3, 4, 8, *NUMBERS]))
        numbers = (numbers * 2)[: rng.choice([5] * 9 + [0, 1, 4, 6])]
        name = ("synthetic:" + ",".join(numbers)).encode()
        if rng.random() < 0.2:
            name += hostile_text(rng)
        elif rng.random() < 0.2:
            name = changed_bytes(name, rng)
        return Input({"name": name}, ["synthetic", "name"])

    return Reader("synthetic", make, {}, share=50)


def training() -> Reader:
    state = "t/training-state.safetensors"

    def make(rng: random.Random) -> Input:
        command = words("train", "--resume", "t", "--data", "ids.npy", "--steps", "4", "-t", "1", "--quiet")
        return Input({state: trained.checkpoint(rng)}, ["training", "t"], command)

    return Reader("training", make, {state: trained.checkpoint(), "ids.npy": trained.ids()}, share=50)


def gradients() -> Reader:
    files = trained.gradients()

    def make(rng: random.Random) -> Input:
        name = rng.choice(["gradients.json"] * 3 + ["g.npy", "p.npy"])
        change = changed_json(files[name], rng) if name.endswith("json") else changed_bytes(files[name], rng, 128)
        return Input({name: change}, ["gradients", "gradients.json"])

    return Reader("gradients", make, files, share=50)


def data(name: str, file: str, content: bytes, changed: Callable[[random.Random], bytes], size: int) -> Reader:
    """What a training learns from, with a vocabulary of that size."""

    def make(rng: random.Random) -> Input:
        # Each into a folder of its own: one that holds a model is refused.
        out = f"o{rng.getrandbits(48):x}"
        command = words(
            "train", "--data", file, "--vocabulary-size", str(size), "--layers", "1", "--heads", "2",
            "--channels", "4", "--context", "2", "--batch", "1", "--steps", "1", "-t", "1", "--quiet",
            "--out", out,
        )  # fmt: skip
        return Input({file: changed(rng)}, [name, file], command)

    return Reader(name, make, {file: content}, share=50)


def ids() -> Reader:
    own = trained.ids()
    return data("ids", "ids.npy", own, lambda rng: changed_bytes(own, rng, 128), valid.VOCABULARY)


def text() -> Reader:
    def changed(rng: random.Random) -> bytes:
        change = rng.choice([changed_bytes, changed_lines])
        return change(trained.TEXT, rng)

    return data("text", "text.txt", trained.TEXT, changed, 260)


def reports(name: str, records: list, forms: list) -> Reader:
    """Records that `report` shows in one of the forms."""

    def make(rng: random.Random) -> Input:
        form = rng.choice(forms)
        return Input(
            {"record.json": changed_json(rng.choice(records), rng)}, ["record", form, "record.json"],
            words("report", "record.json", "--format", form),
        )  # fmt: skip

    return Reader(name, make, {}, share=40)


def record() -> Reader:
    return reports("record", valid.records(valid.RUNS), valid.RUN_FORMATS)


def builds() -> Reader:
    return reports("builds", valid.records(["interleaved", "interleaved-matmul"]), valid.COMPARISON_FORMATS)


def compare() -> Reader:
    names = ["base", "batch", "matmul", "counters"]
    runs = valid.records(names)
    files = {f"{name}.json": run for name, run in zip(names, runs, strict=True)}

    def make(rng: random.Random) -> Input:
        place, form = rng.randrange(len(names)), rng.choice(valid.COMPARISON_FORMATS)
        pair = [f"{names[place]}.json", "record.json"]
        rng.shuffle(pair)
        return Input(
            {"record.json": changed_json(runs[place], rng)},
            ["compare", form, *pair],
            words("compare", *pair, "--format", form),
        )

    return Reader("compare", make, files, share=40)


def explain() -> Reader:
    own = valid.records(["profile"])[0]

    def make(rng: random.Random) -> Input:
        return Input(
            {"record.json": changed_json(own, rng)}, ["explain", "profile.json", "record.json"],
            words("explain", "profile.json:packed", "record.json", "--format", rng.choice(valid.EXPLANATION_FORMATS)),
        )  # fmt: skip

    return Reader("explain", make, {"profile.json": own}, share=40)


# --- what only the program reads

TINY_FOLDER = "model"


def tiny_folder() -> dict[str, bytes]:
    """A model with its tokenizer, as a folder of a reader's own."""
    texts, kept = valid.tokenizer_files(), ["vocab.json", "merges.txt"]
    count = len(json.loads(texts["vocab.json"]))
    header, data = valid.safetensors(valid.shapes() | {"wte.weight": (count, valid.CHANNELS)})
    fields = json.loads(valid.config()) | {"vocab_size": count, "eos_token_id": count - 1, "bos_token_id": count - 1}
    files = {"model.safetensors": valid.whole(header, data), "config.json": valid.dumped(fields)}
    files |= {name: text for name, text in texts.items() if name in kept}
    return {f"{TINY_FOLDER}/{name}": content for name, content in files.items()}


def suite() -> Reader:
    known = valid.suites()

    def make(rng: random.Random) -> Input:
        files: dict[str, bytes | None] = {
            f"home/Benchmarks/suites/s{number}.json": changed_json(rng.choice(known), rng) for number in range(10)
        }
        return Input(files, words=words("list", "suites"), count=10)

    return Reader("suite", make, {}, share=10)


def worker() -> Reader:
    requests = valid.worker_requests() + trained.worker_requests()

    def make(rng: random.Random) -> Input:
        line = changed_json(rng.choice(requests), rng, valid.TAME)
        return Input(text=line.replace(b"\n", b" "))

    return Reader("worker", make, tiny_folder() | trained.gradients(), share=40, is_worker=True)


def chat() -> Reader:
    def make(rng: random.Random) -> Input:
        lines = []
        for _ in range(50):
            line = rng.choice(valid.CHAT_LINES)
            kind = rng.random()
            if kind < 0.4:
                line = changed_bytes(line, rng)
            elif kind < 0.8:
                head = line.split(b" ")[:2] if line.startswith(b"/") else [line]
                line = b" ".join([*head[: rng.choice([1, 2])], hostile_text(rng)])
            # A generation of any length is allowed, and would only take its time.
            lines.append(b"/set max-tokens 2" if b"max-tokens" in line else line)
        return Input(
            words=words("chat", "--model", TINY_FOLDER, "-n", "2", "-t", "1"), text=b"\n".join(lines) + b"\n", count=50
        )

    return Reader("chat", make, tiny_folder(), share=20)


def terminal() -> Reader:
    def make(rng: random.Random) -> Input:
        typed = keys([line for line in valid.CHAT_LINES if b"max-tokens" not in line], rng)
        return Input(words=words("chat", "--model", TINY_FOLDER, "-n", "2", "-t", "1"), text=typed + END_OF_KEYS)

    return Reader("keys", make, tiny_folder(), share=2, is_terminal=True)


def command() -> Reader:
    files = tiny_folder() | {
        "run.json": valid.records(["base"])[0], "profile.json": valid.records(["profile"])[0],
        "suite.json": valid.suites()[0], "text.txt": b"the ab the ab",
    }  # fmt: skip

    def make(rng: random.Random) -> Input:
        return Input(words=[*changed_words(rng.choice(valid.COMMANDS), rng), b"--quiet"])

    return Reader("command", make, files, share=5)


def all_readers() -> list[Reader]:
    llmc, seed = valid.llmc(), valid.seed()
    return [
        safetensors(), index(), config(), sequential("llmc", "gpt2_small.bin", llmc, 1024),
        sequential("seed", "model.bin", seed, 20),
        weights("gguf", "model.gguf", valid.gguf, {"model.gguf": valid.gguf()}, model="model.gguf"), synthetic(),
        tokenizer(), npy(),
        reference(), continuations(), training(), gradients(), ids(), text(), record(), builds(), compare(), explain(),
        suite(), worker(), chat(), terminal(), command(),
    ]  # fmt: skip
