#!/usr/bin/env python3
"""Holds `gpt2-bench tokenize` against independent GPT-2 tokenizers on 10 MB of mixed text.

    pip install tiktoken==0.14.0 tokenizers==0.23.3
    scripts/fetch_vocabulary.sh
    python scripts/check_tokenizer.py .build/release/gpt2-bench
    python scripts/check_tokenizer.py .build/release/gpt2-bench --speed FILE…

    pip install transformers==4.57.6
    python scripts/check_tokenizer.py .build/release/gpt2-bench --folders 300

The text is made here from a seed: scripts, all of Unicode, emoji, code (the repository's own sources), control
characters, every kind of white space, contractions, numbers, random bytes, very long words. The ids must be those of
OpenAI's tiktoken and of Hugging Face's tokenizers, both built from the same vocab.json and merges.txt, and `tokenize
--decode -` must give the text back. `--folders` holds it against transformers instead: on the same text with added tokens
strewn in, by a folder that has them, and on that many random folders of tokenizer files, with the texts of their ids.
`--speed` measures instead: the files' texts, joined, encoded by each on one
thread, the median of five.

Exit code: 0 where nothing differs, 1 where something does, 2 for wrong use.
"""

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import tiktoken  # noqa: E402
import tokenizers  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent))

ROOT = Path(__file__).resolve().parent.parent
END_OF_TEXT = "<|endoftext|>"
PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
MEGABYTE = 1_000_000
RUNS = 5

# First and last scalar.
SCRIPTS = [
    (0x41, 0x7A), (0xC0, 0x24F), (0x250, 0x2AF), (0x370, 0x3FF), (0x400, 0x52F), (0x531, 0x58F), (0x591, 0x5F4),
    (0x600, 0x6FF), (0x700, 0x74F), (0x780, 0x7B1), (0x7C0, 0x7FA), (0x900, 0x97F), (0x980, 0x9FE), (0xA01, 0xA76),
    (0xA81, 0xAF1), (0xB01, 0xB77), (0xB82, 0xBFA), (0xC00, 0xC7F), (0xC80, 0xCF2), (0xD00, 0xD7F), (0xD81, 0xDF4),
    (0xE01, 0xE5B), (0xE81, 0xEDF), (0xF00, 0xFDA), (0x1000, 0x109F), (0x10A0, 0x10FF), (0x1100, 0x11FF),
    (0x1200, 0x139F), (0x13A0, 0x13FD), (0x1400, 0x167F), (0x1680, 0x169C), (0x16A0, 0x16F8), (0x1780, 0x17F9),
    (0x1800, 0x18AA), (0x1E00, 0x1FFE), (0x2000, 0x206F), (0x20A0, 0x20C0), (0x2100, 0x218B), (0x2190, 0x23FF),
    (0x2C00, 0x2DFF), (0x3000, 0x303F), (0x3041, 0x30FF), (0x3105, 0x312F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xA000, 0xA4C6), (0xAC00, 0xD7A3), (0xF900, 0xFAD9), (0xFB00, 0xFDFF), (0xFE70, 0xFEFC), (0xFF01, 0xFFEE),
    (0x10000, 0x100FA), (0x10330, 0x1034A), (0x10400, 0x1044F), (0x12000, 0x12399), (0x13000, 0x1342F),
    (0x1D400, 0x1D7FF), (0x1E900, 0x1E95F), (0x1F100, 0x1F1AD), (0x20000, 0x2A6DF), (0x30000, 0x3134A),
]  # fmt: skip
WHITE_SPACE = [chr(scalar) for scalar in range(0x10000) if chr(scalar).isspace()] + ["\u200b", "\u2060", "\ufeff"]
NUMBERS = "0123456789٠١٢٣٤٥٦٧٨٩०१२३४५六七½⅓¾²³ⅣⅫ①②⑳𝟘𝟙𝟚"
EMOJI = [
    "😀", "🤖", "❤", "❤\ufe0f", "👍", "👩", "👨", "🧑", "🚀", "💻", "🔥", "✌", "☺", "⌚", "🏳\ufe0f", "🌈", "🏴",
    "1\ufe0f\u20e3", "#\ufe0f\u20e3", "🇩🇪", "🇯🇵", "🇺🇸", "🫠", "🧠",
]  # fmt: skip
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'LL", "’s", "'", "''", "'x", "'r", "'v", "'l"]
WORDS = (
    "the of and to in is that it was for on are as with his they at be this from have or by one had not but what all "
    "were when we there can an your which their said if do will each about how up out them then she many some so "
    "these would other into has more her two like him see time could no make than first been its who now people my "
    "made over did down only way find use may water long little very after words called just where most know "
    "extraordinarily incomprehensible misunderstanding tokenization benchmark Benchmark SWIFT iPhone"
).split()


def words(rng: random.Random) -> str:
    out = []
    for _ in range(rng.randint(5, 60)):
        out.append(rng.choice(WORDS) + (rng.choice(CONTRACTIONS) if rng.random() < 0.1 else ""))
        out.append(rng.choice([" ", " ", " ", " ", ", ", ". ", "\n", "  ", "; ", "-"]))
    return "".join(out)


def script(rng: random.Random) -> str:
    first, last = rng.choice(SCRIPTS)
    word = lambda: "".join(chr(rng.randint(first, last)) for _ in range(rng.randint(1, 12)))  # noqa: E731
    return "".join(word() + rng.choice([" ", " ", "", "\u3000", ". ", "\n"]) for _ in range(rng.randint(3, 40)))


def mixed_scripts(rng: random.Random) -> str:
    return "".join(chr(rng.randint(*rng.choice(SCRIPTS))) for _ in range(rng.randint(3, 60)))


def all_of_unicode(rng: random.Random) -> str:
    scalars = (rng.randint(0, 0x10FFFF) for _ in range(rng.randint(3, 60)))
    return "".join(chr(s) + rng.choice(["", "", " "]) for s in scalars if not 0xD800 <= s <= 0xDFFF)


def emoji(rng: random.Random) -> str:
    out = []
    for _ in range(rng.randint(2, 30)):
        out.append(rng.choice(EMOJI))
        if rng.random() < 0.3:
            out.append(chr(rng.randint(0x1F3FB, 0x1F3FF)))
        out.append(rng.choice(["\u200d", "\u200d", " ", "", "\ufe0f", " a"]))
    return "".join(out)


def control(rng: random.Random) -> str:
    return "".join(
        rng.choice([chr(rng.randint(0, 0x1F)), chr(rng.randint(0x7F, 0x9F)), " ", rng.choice(WORDS)])
        for _ in range(rng.randint(3, 40))
    )


def white_space(rng: random.Random) -> str:
    run = lambda: "".join(rng.choice(WHITE_SPACE) for _ in range(rng.randint(1, 6)))  # noqa: E731
    same = lambda: rng.choice(" \t\n\r") * rng.randint(1, 40)  # noqa: E731
    return "".join(
        rng.choice([run, same])() + rng.choice([*WORDS, "", "7", "!", "é", "'s"]) for _ in range(rng.randint(2, 20))
    )


def numbers(rng: random.Random) -> str:
    digits = lambda: "".join(rng.choice(NUMBERS) for _ in range(rng.randint(1, 15)))  # noqa: E731
    plain = lambda: f"{rng.uniform(-1e6, 1e6):,.{rng.randint(0, 6)}f}"  # noqa: E731
    return "".join(
        rng.choice([digits, plain])() + rng.choice([" ", ", ", "%", "e-", "x", "/", ":", ""])
        for _ in range(rng.randint(2, 30))
    )


def punctuation(rng: random.Random) -> str:
    signs = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~«»“”‘’…—–¿¡§¶•"
    return "".join(rng.choice(signs) * rng.randint(1, 4) + rng.choice(["", " ", "a"]) for _ in range(rng.randint(2, 30)))


def random_bytes(rng: random.Random) -> str:
    return rng.randbytes(rng.randint(1, 200)).decode("utf-8", errors="replace")


def special(rng: random.Random) -> str:
    return rng.choice([END_OF_TEXT, END_OF_TEXT[:-1], "<|endoftext|", END_OF_TEXT + ">", " " + END_OF_TEXT + " ", "<|"])


def long_word(rng: random.Random) -> str:
    length = rng.randint(100, 5000)
    return rng.choice(
        [
            lambda: rng.choice("aZé中7!=") * length,
            lambda: "".join(rng.choice("etaoinshrdlu") for _ in range(length)),
            lambda: "".join(rng.choice("0123456789") for _ in range(length)),
            lambda: "".join(rng.choice("=-_*#") for _ in range(length)),
            lambda: "ab" * length,
        ]
    )()


def mixed_text(size: int, seed: int) -> str:
    rng = random.Random(seed)
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    names = [n for n in listed if n.endswith((".swift", ".py", ".sh", ".h", ".c", ".md", ".json", ".yml"))]
    sources = [(ROOT / n).read_text(encoding="utf-8") for n in sorted(names) if (ROOT / n).stat().st_size < 200_000]

    def code(rng: random.Random) -> str:
        source = rng.choice(sources)
        start = rng.randrange(len(source) or 1)
        return source[start : start + rng.randint(50, 4000)]

    kinds = [
        (words, 10), (script, 25), (mixed_scripts, 6), (all_of_unicode, 12), (emoji, 8), (code, 5), (control, 6),
        (white_space, 8), (numbers, 8), (punctuation, 5), (random_bytes, 10), (special, 1), (long_word, 0.3),
    ]  # fmt: skip
    chosen = [kind for kind, _ in kinds]
    weights = [weight for _, weight in kinds]
    pieces: list[str] = []
    length = 0
    while length < size:
        piece = rng.choices(chosen, weights)[0](rng) + rng.choice(["", " ", "\n", "\n\n"])
        pieces.append(piece)
        length += len(piece.encode("utf-8"))
    return "".join(pieces)


class Ours:
    name = "gpt2-bench"

    def __init__(self, program: str, folder: Path) -> None:
        self.command = [program, "tokenize", "--model", str(folder)]
        self.megabytes_per_second: float | None = None

    def encode(self, text: str) -> list[int]:
        done = subprocess.run(self.command, input=text.encode("utf-8"), capture_output=True, check=True)
        speed = re.search(rb"([0-9.]+) MB/s", done.stderr)
        self.megabytes_per_second = float(speed[1]) if speed else None
        return [int(word) for word in done.stdout.split()]

    def decode(self, ids: list[int]) -> bytes:
        line = " ".join(map(str, ids)).encode("ascii")
        return subprocess.run([*self.command, "--decode", "-"], input=line, capture_output=True, check=True).stdout


class Tiktoken:
    name = f"tiktoken {tiktoken.__version__}"

    def __init__(self, folder: Path) -> None:
        ranks = {b: i for i, b in enumerate(token_bytes(folder)) if b != END_OF_TEXT.encode()}
        end = {END_OF_TEXT: len(ranks)}
        self.encoding = tiktoken.Encoding("gpt2", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=end)

    def encode(self, text: str) -> list[int]:
        return self.encoding.encode(text, allowed_special="all")


class HuggingFace:
    name = f"tokenizers {tokenizers.__version__}"

    def __init__(self, folder: Path) -> None:
        files = (str(folder / "vocab.json"), str(folder / "merges.txt"))
        self.tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE.from_file(*files))
        self.tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        self.tokenizer.add_special_tokens([END_OF_TEXT])

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text).ids


def token_bytes(folder: Path) -> list[bytes]:
    """The bytes of each token, by id."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in printable]
    alphabet = {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(hidden)}
    ids = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    return [bytes(alphabet[c] for c in token) for token, _ in sorted(ids.items(), key=lambda item: item[1])]


def check(ours: Ours, others: list, text: str, folder: Path) -> bool:
    """Prints what differs; whether nothing does."""
    spelled = token_bytes(folder)

    def placed(ids: list[int]) -> dict[int, int]:
        places, place = {}, 0
        for token in ids:
            places[place] = token
            place += len(spelled[token])
        return places

    encoded = text.encode("utf-8")
    ids = ours.encode(text)
    found = placed(ids)
    print(f"{len(encoded) / MEGABYTE:.1f} MB of mixed text, {len(ids)} tokens")
    good = True
    for other in others:
        expected = placed(other.encode(text))
        wrong = sorted(place for place in expected.keys() | found.keys() if expected.get(place) != found.get(place))
        print(f"{other.name}: {len(wrong)} differences")
        for place in wrong[:5]:
            around = encoded[max(0, place - 20) : place + 20].decode("utf-8", errors="replace")
            print(f"  at byte {place}: {found.get(place)}, expected {expected.get(place)}, in {around!r}")
        good = good and not wrong
    decoded = ours.decode(ids)
    if decoded != encoded + b"\n":
        place = next((i for i, (a, b) in enumerate(zip(decoded, encoded)) if a != b), min(len(decoded), len(encoded)))
        print(f"--decode does not give the text back: it differs at byte {place}")
        good = False
    else:
        print("--decode gives the text back")
    return good


STREWN = {
    "<|pad|>": {"special": True}, "<|user|>": {}, "<|system|>": {"special": True, "rstrip": True}, " the": {}, "\n\n": {},
    "user": {"single_word": True}, "<mask>": {"lstrip": True}, "<|user": {"special": True}, "日本": {},
}  # fmt: skip


def differences(found: list[int], expected: list[int]) -> int:
    return sum(a != b for a, b in zip(found, expected)) + abs(len(found) - len(expected))


def check_strewn(program: str, folder: Path, text: str, rng: random.Random) -> bool:
    """The text with added tokens in it, by transformers and by us; whether nothing differs."""
    import tokenizer_folders as folders

    ids, _ = folders.vocabulary(folder)
    new = [content for content in STREWN if content not in ids]
    numbers = {content: ids.get(content) or len(ids) + new.index(content) for content in STREWN}
    pieces = [text[i : i + 200] + rng.choice([*STREWN, " "]) for i in range(0, len(text), 200)]
    decoder = {str(numbers[content]): folders.token(content, **flags) for content, flags in STREWN.items()}
    with tempfile.TemporaryDirectory() as work:
        folders.write(Path(work), {"tokenizer_config.json": {"added_tokens_decoder": decoder}}, folder)
        text = "".join(pieces)
        expected = folders.reference(Path(work))(text)["input_ids"]
        wrong = differences(Ours(program, Path(work)).encode(text), expected)
    print(f"{len(text.encode()) / MEGABYTE:.1f} MB with {len(pieces)} added tokens strewn in: {wrong} differences")
    return wrong == 0


def check_folders(program: str, folder: Path, count: int, seed: int) -> bool:
    """Random folders of tokenizer files, by transformers and by us; whether nothing differs."""
    import tokenizer_folders as folders

    rng = random.Random(seed)
    ids, _ = folders.vocabulary(folder)
    read, texts, wrong = 0, 0, 0
    for number in range(count):
        files = folders.random_files(rng, ids)
        with tempfile.TemporaryDirectory() as work:
            folders.write(Path(work), files, folder, as_pairs=rng.random() < 0.5)
            try:
                reference = folders.reference(Path(work))
            except Exception as error:
                print(f"folder {number}: transformers refuses it: {error!r:.100}")
                continue
            read += 1
            ours = Ours(program, Path(work))
            for _ in range(6):
                text = folders.random_text(rng, [t for t in folders.CONTENTS if t in reference.get_vocab()])
                expected = reference(text)["input_ids"]
                texts += 1
                try:
                    found = ours.encode(text)
                    same = found == expected and ours.decode(found) == reference.decode(expected).encode() + b"\n"
                except subprocess.CalledProcessError as error:
                    found, same = error.stderr.decode().strip(), False
                if not same:
                    wrong += 1
                    print(f"folder {number}: {text!r}: {found}, expected {expected}: {json.dumps(files)}")
                    break
    print(f"{read} of {count} random folders, {texts} texts: {wrong} differences")
    return wrong == 0


def measure(ours: Ours, others: list, text: str) -> None:
    size = len(text.encode("utf-8")) / MEGABYTE
    speeds = []
    for _ in range(RUNS):
        ours.encode(text)
        if ours.megabytes_per_second is None:
            sys.exit("gpt2-bench tokenize names no MB/s: is the text too short?")
        speeds.append(ours.megabytes_per_second)
    print(f"{size:.1f} MB; median of {RUNS} (lowest to highest), one thread")
    print(f"{ours.name}: {statistics.median(speeds):.1f} MB/s ({min(speeds):.1f} to {max(speeds):.1f})")
    for other in others:
        times = []
        for _ in range(RUNS):
            start = time.perf_counter()
            other.encode(text)
            times.append(size / (time.perf_counter() - start))
        print(f"{other.name}: {statistics.median(times):.2f} MB/s ({min(times):.2f} to {max(times):.2f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", help="gpt2-bench, built")
    parser.add_argument("--vocabulary", type=Path, default=ROOT / "weights/gpt2", help="vocab.json and merges.txt")
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=Path, nargs="+", metavar="FILE", help="measure on these texts instead")
    parser.add_argument("--folders", type=int, metavar="N", help="hold against transformers, on N random folders")
    arguments = parser.parse_args()
    folder = arguments.vocabulary
    ours = Ours(arguments.program, folder)
    others = [Tiktoken(folder), HuggingFace(folder)]
    if arguments.speed:
        measure(ours, others, "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in arguments.speed))
        return
    text = mixed_text(int(arguments.megabytes * MEGABYTE), arguments.seed)
    if arguments.folders is not None:
        good = check_folders(arguments.program, folder, arguments.folders, arguments.seed)
        good = check_strewn(arguments.program, folder, text, random.Random(arguments.seed)) and good
        sys.exit(0 if good else 1)
    sys.exit(0 if check(ours, others, text, folder) else 1)


if __name__ == "__main__":
    main()
