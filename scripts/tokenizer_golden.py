#!/usr/bin/env python3
"""Golden cases for the tokenizer's tests, from two independent implementations.

  tokenizer_golden.py cases FOLDER OUT.json   texts and their ids under FOLDER's vocab.json and merges.txt
  tokenizer_golden.py train TEXT FOLDER       trains the tests' small vocabulary on TEXT and lines of its own
  tokenizer_golden.py learn CASES.json OUT    the merges that 1,800 tokens learnt from the cases' texts have
  tokenizer_golden.py compare FOLDER FILE...  holds the two implementations against each other on whole files

Ids come from Hugging Face `tokenizers`; every case is encoded by `tiktoken` too, and the script fails where
the two differ. Needs: pip install tokenizers tiktoken. The output does not depend on the machine or the day.
"""

import argparse
import json
import random
import sys
import tempfile
import unicodedata
from pathlib import Path

import tiktoken
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

END_OF_TEXT = "<|endoftext|>"
PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def byte_alphabet():
    """GPT-2's printable character for each byte."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}


def hugging_face(folder):
    """The vocabulary as Hugging Face's GPT2TokenizerFast sets it up."""
    tokenizer = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if tokenizer.token_to_id(END_OF_TEXT) is not None:
        tokenizer.add_special_tokens([AddedToken(END_OF_TEXT, normalized=False)])
    return tokenizer


def tik(folder):
    """The vocabulary as tiktoken sees it, and the way from its ranks to the vocabulary's ids.

    tiktoken wants ranks in the order of merging, which are the ids in OpenAI's file but need not be in others.
    """
    ids = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()
    merges = [line.split(" ") for line in lines if not line.startswith("#version")]
    to_byte = {character: byte for byte, character in byte_alphabet().items()}
    tokens = [character for character in byte_alphabet().values()] + [left + right for left, right in merges]
    ranks = {bytes(to_byte[c] for c in token): rank for rank, token in enumerate(tokens)}
    to_id = {rank: ids[token] for rank, token in enumerate(tokens)}
    special = {}
    if END_OF_TEXT in ids:
        special = {END_OF_TEXT: len(tokens)}
        to_id[len(tokens)] = ids[END_OF_TEXT]
    encoding = tiktoken.Encoding(
        name="local", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=special)
    return encoding, to_id


class Reference:
    """Both implementations; fails where they differ."""

    def __init__(self, folder):
        self.hugging_face = hugging_face(folder)
        self.plain = hugging_face(folder)
        self.plain.encode_special_tokens = True
        self.tiktoken, self.to_id = tik(folder)

    def encode(self, text, special=True):
        ids = (self.hugging_face if special else self.plain).encode(text).ids
        allowed = "all" if special else set()
        other = self.tiktoken.encode(text, allowed_special=allowed, disallowed_special=())
        if ids != [self.to_id[rank] for rank in other]:
            sys.exit(f"tokenizers and tiktoken differ on {text[:80]!r}")
        return ids


SPACES = [0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029,
          0x202F, 0x205F, 0x3000]
LOOK_LIKE_SPACES = [0x00, 0x1C, 0x1D, 0x1E, 0x1F, 0x7F, 0x180E, 0x200B, 0x200C, 0x200D, 0x2060, 0x2800, 0x3164,
                    0xFEFF]

ENGLISH = [
    "", " ", "a", "Hello, world!", " Hello, world!", "The quick brown fox jumps over the lazy dog.",
    "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n",
    "I'm you're he's she'd we'll they've don't", "I'M YOU'RE HE'S SHE'D WE'LL THEY'VE DON'T",
    "'s 't 're 've 'm 'll 'd", "'s't're've'm'll'd", "''s '' 'l 'r 'v 'x '", "x's'", "x'", "'", "'re", "'r", "'lL",
    "rock 'n' roll", "o'clock", "can't've", "\u2019s \u2019t don\u2019t", "!'s", "1's", " 's", "\n's", "''ll'd",
    "don't stop   believin'  ", "  two leading", "trailing  ", "a  b   c    d", "tabs\tand\t\ttabs \t mixed\t ",
    "antidisestablishmentarianism", "Supercalifragilisticexpialidocious", "ROMEO:\nO, she doth teach",
    "Mr. Smith paid $3.50 (or \u20ac3,20) for 12 eggs @ 9:30am -- 100% true!!!", "e.g., i.e.; etc...",
    "SolidGoldMagikarp attRot TheNitromeFan cloneembedreportprint", "hyphen-ated co-operate re\u2010enter",
    "CamelCaseWords snake_case_words kebab-case-words", "a" * 100, "ab" * 60, "aab" * 50, " " * 97, "\n" * 33,
    "=" * 81, "1" * 77, "!?" * 40, "ha" * 41 + "!", "\u00e9" * 50, "\U0001f600" * 30, "the " * 40,
]

CODE = [
    "def f(x):\n    return x ** 2  # square\n\n\nclass A:\n\tpass\n", "for (int i = 0; i < n; ++i) { a[i] += b[i]; }",
    "#include <stdio.h>\r\nint main(void) {\r\n\treturn 0;\r\n}\r\n", "let x: [String: Int] = [\"a\": 1]",
    "<html><body class=\"x\">&nbsp;</body></html>", "SELECT * FROM t WHERE a <> 'b''s';", "C:\\Users\\me\\file.txt",
    "https://example.org/a/b?c=d&e=%20f#g", "user@example.org", "{\"k\": [1, 2.5e-3, null, true]}",
    "0x1F 0b101 1_000 1e10 3.14159 -42 +7", "v1.2.3-rc.4+5", "\r\n\r\n", "\r", "a\r\nb\rc\nd", " \r\n ", "\n \n  \n",
    "if a:\n        b\n    else:\n            c", "\\n\\t\\u0041", "`code` **bold** _it_ ~~no~~ | a | b |", "\\\\\\///",
]

SCRIPTS = [
    "na\u00efve caf\u00e9 r\u00e9sum\u00e9 \u00fcber \u00e6on \u0153uvre", "cafe\u0301 nai\u0308ve", "\u0301a", " \u0301", "e\u0301\u0301\u0301'",
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!", "\u0393\u03b5\u03b9\u03ac \u03c3\u03bf\u03c5 \u039a\u03cc\u03c3\u03bc\u03b5", "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd", "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645",
    "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01", "\u3053\u3093\u306b\u3061\u306f\u4e16\u754c", "\u4f60\u597d\uff0c\u4e16\u754c\uff01", "\uc548\ub155\ud558\uc138\uc694 \uc138\uacc4",
    "\u1112\u1161\u11ab\u1100\u1173\u11af", "\u10d2\u10d0\u10db\u10d0\u10e0\u10ef\u10dd\u10d1\u10d0", "\u12a0\u121b\u122d\u129b", "\u0b9a\u0bc6\u0ba9\u0bcd\u0ba9\u0bc8 \u0c24\u0c46\u0c32\u0c41\u0c17\u0c41",
    "English\u4e2d\u6587\u0420\u0443\u0441\u0441\u043a\u0438\u0439 mixed123\u0661\u0662\u0663", "\u00ab\u00a0Bonjour\u00a0!\u00a0\u00bb", "\u201cquoted\u201d \u2018single\u2019 \u2014 dash\u2026",
    "\u0130stanbul \u0131\u015f\u0131k \u1e9e\u00df \u01c5 \u02b0 \u00aa\u00ba", "\U00010400\U00010428 \U0001d400\U0001d7d8 \U00020000\U0002a6d6",
    "\u0663\u0664 \u096a\u096b \uff11\uff12 \U0001d7ce\U0001d7cf", "\u2160\u2161\u216b \u3007\u3021 \U00012400 \u16ee", "\u00bd\u00b2\u00b3\u00b9 \u2460\u2461 \u2150 \u3251 \u0bf0",
    "x\u00b2+y\u00b2=z\u00b2", "10\u20ac\u00a320\u00a5", "H\u2082O", "\u2200x\u2208\u211d: x\u2264\u221e", "\u2190\u2191\u2192\u2193 \u2588\u2593\u2592\u2591 \u2500\u2502",
]

EMOJI = [
    "\U0001f600", "\U0001f600\U0001f601 \U0001f602", "\U0001f44d\U0001f3fd", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f3f3\ufe0f\u200d\U0001f308",
    "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", "1\ufe0f\u20e3 #\ufe0f\u20e3", "\u2764\ufe0f a\u2764b", "text\U0001f600text 5\U0001f6005", "\U0001f9d1\U0001f3ff\u200d\U0001f4bb writes",
    "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
]

SPECIAL = [
    END_OF_TEXT, f"a{END_OF_TEXT}b", f"a {END_OF_TEXT} b", f"{END_OF_TEXT}{END_OF_TEXT}", f"  {END_OF_TEXT}\n\n{END_OF_TEXT}  ",
    "<|endoftext|", "<|endoftext |>", "<|ENDOFTEXT|>", "<<|endoftext|>>", "<|endof<|endoftext|>text|>", "|endoftext|>",
    f"it{END_OF_TEXT}'s", f"x{END_OF_TEXT}" * 5,
]

INVALID = [
    "80", "ff", "c3", "c328", "a0a1", "e28228", "e282", "e2", "f0288cbc", "f09028bc", "f0288c28", "f09f98", "f09f",
    "c0af", "e080af", "f08080af", "eda080", "edbfbf", "eda080edb080", "f4908080", "f8a1a1a1a0", "fc84808080af",
    "fe", "feff", "fffe", "61e26162", "61ff62", "20ff20", "20f09f9820", "41c341", "e28280ff", "f09f9880f09f98",
    "efbfbd", "efbfbe", "efbfbf", "00ff00", "3cff7c", "f1808041", "f18080808041", "c2", "df", "eeee", "c3a9c3",
]


def spaces():
    """Every white-space scalar, and what looks like one, alone, doubled, and beside words."""
    for value in SPACES + LOOK_LIKE_SPACES:
        space = chr(value)
        yield f"a{space}b{space}{space}c {space}d{space} e{space}"
        yield f"{space}{space}1{space}!{space}"
    yield "x" + "".join(map(chr, SPACES)) + "y"
    yield "".join(map(chr, SPACES))
    yield "x" + "".join(map(chr, LOOK_LIKE_SPACES)) + "y"


def controls():
    yield "".join(map(chr, range(0x20)))
    yield "".join(map(chr, range(0x7F, 0xA1)))
    yield "".join(map(chr, range(0x20, 0x7F)))
    yield "".join(map(chr, range(0xA1, 0x180)))
    yield "a\0b\0\0c \0"


def random_texts(count=120):
    """Seeded random strings, of scalars that Python's Unicode tables know: they are older than all others'."""
    generator = random.Random(20190214)
    assigned = [chr(v) for v in range(0x110000)
                if unicodedata.category(chr(v)) not in ("Cn", "Cs", "Co")]
    by_class = {"L": [], "N": [], "Z": [], "M": [], "P": [], "S": [], "C": []}
    for character in assigned:
        by_class[unicodedata.category(character)[0]].append(character)
    for index in range(count):
        length = generator.randint(1, 24)
        if index % 4 == 0:
            pool = [chr(generator.randint(0x20, 0x7E)) for _ in range(12)] + list("  'st\n")
            yield "".join(generator.choice(pool) for _ in range(length))
        elif index % 4 == 1:
            yield "".join(generator.choice(assigned) for _ in range(length // 2 + 1))
        elif index % 4 == 2:
            yield "".join(generator.choice(by_class[generator.choice("LLNZMPSC")]) for _ in range(length // 2 + 1))
        else:
            pool = [chr(v) for v in SPACES[:8]] + list("ab1!'") + [generator.choice(by_class["L"])]
            yield "".join(generator.choice(pool) for _ in range(length))


def long_words(count=16):
    """Words around and beyond the length where the tokenizer changes its method."""
    generator = random.Random(768)
    for index in range(count):
        letters = ["etaoinshrdlu", "aab", "abcdefghijklmnopqrstuvwxyz", "\u00e9\u4e16a"][index % 4]
        yield "".join(generator.choice(letters) for _ in range(generator.randint(40, 130)))


def versions():
    """Scalars assigned in Unicode 15, 15.1 and 16, which count as what they are, and in 17, which count as
    unassigned in both implementations as of tokenizers 0.23 and tiktoken 0.14."""
    for value in [0x1E4D0, 0x1D2C0, 0x2EBF0, 0x10D4A, 0x10D40, 0x1C89, 0xA7CB, 0x16EA0, 0xA7CE, 0x11DE0, 0x323B0]:
        yield f"a{chr(value)}b 1{chr(value)}2 !{chr(value)}? {chr(value)}{chr(value)}"


def random_bytes(count=40):
    generator = random.Random(1948)
    for index in range(count):
        length = generator.randint(1, 16)
        if index % 2:
            yield generator.randbytes(length).hex()
        else:
            leads = bytes([0x41, 0x20, 0x80, 0xBF, 0xC2, 0xE0, 0xE2, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0x9F, 0xA0])
            yield bytes(generator.choice(leads) for _ in range(length)).hex()


def cases(reference):
    """Every case as a dictionary: `text` or `hex` (bytes, invalid as UTF-8), `ids`; `plain` where
    <|endoftext|> is to be read as plain text."""
    groups = {
        "english": ENGLISH, "code": CODE, "scripts": SCRIPTS, "emoji": EMOJI, "special": SPECIAL,
        "spaces": spaces(), "controls": controls(), "random": random_texts(),
        "long": long_words(), "versions": versions(),
    }
    for group, texts in groups.items():
        for text in texts:
            yield {"group": group, "text": text, "ids": reference.encode(text)}
    for text in SPECIAL:
        yield {"group": "plain", "text": text, "plain": True, "ids": reference.encode(text, special=False)}
    for digits in [*INVALID, *random_bytes()]:
        text = bytes.fromhex(digits).decode("utf-8", errors="replace")
        yield {"group": "invalid", "hex": digits, "ids": reference.encode(text)}


def write_cases(folder, out):
    reference = Reference(folder)
    lines = [json.dumps(case, separators=(",", ":")) for case in cases(reference)]
    out.write_text('{"cases":[\n' + ",\n".join(lines) + "\n]}\n", encoding="ascii")
    print(f"{out}: {len(lines)} cases, tokenizers and tiktoken agree on each")


def learnt(texts, size):
    """A tokenizer of the 256 bytes and the merges of texts, `size` tokens in all."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=sorted(byte_alphabet().values()), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def train(text, folder, size=600):
    """A vocabulary of `size` tokens in GPT-2's two files: the 256 bytes, merges, <|endoftext|> last."""
    lines = text.read_text(encoding="utf-8")[:300_000].splitlines(keepends=True)
    lines += [line + "\n" for line in [*ENGLISH, *CODE, *SCRIPTS, *EMOJI] for _ in range(12)]
    tokenizer = learnt(lines, size - 1)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.model.save(str(folder))
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    vocabulary[END_OF_TEXT] = len(vocabulary)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    print(f"{folder}: {len(vocabulary)} tokens")


def learn(cases, out, size=1800):
    """The merges of a vocabulary of the cases' texts, <|endoftext|> among its tokens and in no merge."""
    texts = [case["text"] for case in json.loads(cases.read_text(encoding="ascii"))["cases"] if "text" in case]
    tokenizer = learnt([part for text in texts for part in text.split(END_OF_TEXT)], size - 1)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.model.save(folder)
        merges = (Path(folder) / "merges.txt").read_text(encoding="utf-8")
    out.write_text(merges, encoding="utf-8")
    print(f"{out}: {len(merges.splitlines()) - 1} merges, {tokenizer.get_vocab_size()} tokens and the end of text")


def compare(folder, files):
    reference = Reference(folder)
    for file in files:
        ids = reference.encode(file.read_bytes().decode("utf-8", errors="replace"))
        print(f"{file}: {len(ids)} ids, tokenizers and tiktoken agree")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("cases")
    command.add_argument("folder", type=Path)
    command.add_argument("out", type=Path)
    command = commands.add_parser("train")
    command.add_argument("text", type=Path)
    command.add_argument("folder", type=Path)
    command = commands.add_parser("learn")
    command.add_argument("cases", type=Path)
    command.add_argument("out", type=Path)
    command = commands.add_parser("compare")
    command.add_argument("folder", type=Path)
    command.add_argument("files", type=Path, nargs="+")
    options = parser.parse_args()
    if options.command == "cases":
        write_cases(options.folder, options.out)
    elif options.command == "train":
        train(options.text, options.folder)
    elif options.command == "learn":
        learn(options.cases, options.out)
    else:
        compare(options.folder, options.files)


if __name__ == "__main__":
    main()
