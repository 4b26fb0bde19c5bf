"""What scripts/fuzz.py does to valid inputs: bytes, JSON documents, lines and words that are nearly right."""

import json
import random
import struct
from collections.abc import Callable

NUMBERS = [
    0, -1, 1, 2, 7, 255, 65536, 2**31 - 1, 2**31, -(2**31), 2**32, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64 - 1,
    2**64, 10**30, 0.5, -0.0, 1e-45, 5e-324, 1e20, 1.7e308, -1.7e308,
]  # fmt: skip
TEXTS = [
    "", " ", "\0", "a\0b", "\x1b[31mred\x1b[0m", "\x07\x08\x7f", "\u202egnp.exe", "\u2066\u2069", "a\nb", "a\r\nb",
    "\u0085\u2028",
    "\ufeff", "\ud800", "é", "e\u0301", "日本", "😀", "\U0010ffff", "x" * 5000, "../../../etc/passwd", "/dev/zero",
    "%s%n%d",
    "=1+1", "@SUM(A1)", "<script>alert(1)</script>", "|a|b|", "`a`", "''; DROP TABLE a", "nan", "-inf", "null", "-1",
    "18446744073709551616", "a,b,c", "synthetic:tiny", "synthetic:1,1,1,1,1",
]  # fmt: skip
#: Tokens that no encoder of JSON writes.
RAW = [
    b"", b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"01", b"1.", b".5", b"-", b"+1", b"0x10", b"tru",
    b"'a'", b"\xff\xfe",
    b'"\xff"', b'"\xed\xa0\x80"', b'"\x00"', b'"a\nb"', b'"\\ud800"', b'"\\u0000"', b'"\\x"', b'"', b"{", b"[", b"{]",
    b'{"a"}', b"[1,]", b"/* a */ 1", b"1 2", b"9" * 400, b"0." + b"1" * 400, b"-0", b"1E+2", b"null null",
]  # fmt: skip
DEPTHS = [3, 50, 500, 511, 512, 513, 2000, 20_000]
BYTES = [
    0,
    1,
    9,
    10,
    13,
    0x22,
    0x27,
    0x2C,
    0x30,
    0x3A,
    0x5B,
    0x5C,
    0x7B,
    0x7D,
    0x7F,
    0x80,
    0xC0,
    0xE2,
    0xF5,
    0xFE,
    0xFF,
]
KEYS = [
    b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b[H", b"\x1b[F", b"\x1b[3~", b"\x1b[1;5C", b"\x1b[200~",
    b"\x1b[201~", b"\x1bb", b"\x1bd",
    b"\x1b\x7f", b"\x1b", b"\x1bO", b"\x1b[99999999999999999999~", b"\x01", b"\x02", b"\x04", b"\x05", b"\x07",
    b"\x08", b"\t", b"\r", b"\n",
    b"\x0b", b"\x0c", b"\x0e", b"\x10", b"\x12", b"\x14", b"\x15", b"\x17", b"\x19", b"\x7f", b"\x03", b"\xff",
    b"\xe6\x97", b"\xc3",
]  # fmt: skip

#: Ends a paste, an answer, a line, and the chat.
END_OF_KEYS = b"\x1b[201~\x03\x15\x04"


def changed_bytes(data: bytes, rng: random.Random, header: int | None = None) -> bytes:
    """Up to four changes of single bits, bytes, integers and pieces, most of them in the first `header` bytes."""
    result = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        size = len(result)
        limit = min(header or size, size)
        place = rng.randrange(limit) if limit and rng.random() < 0.8 else rng.randrange(size + 1)
        length = rng.choice([1, 2, 4, 8, 16, 100])
        match rng.randrange(8):
            case 0 if place < size:
                result[place] ^= 1 << rng.randrange(8)
            case 1 if place < size:
                result[place] = rng.choice(BYTES)
            case 2 | 3:
                place -= place % rng.choice([1, 4, 8])
                value = rng.choice(
                    [0, 1, -1, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**62, 2**63 - 1, 2**63, rng.getrandbits(16)]
                )
                form, bits = rng.choice([("<I", 32), ("<Q", 64)])
                packed = struct.pack(form, value % 2**bits)
                result[place : place + len(packed)] = packed
            case 4:
                del result[place:]
            case 5:
                del result[place : place + length]
            case 6:
                result[place:place] = result[place : place + length]
            case _:
                result[place:place] = rng.choice([rng.randbytes(length), bytes([rng.choice(BYTES)]) * length])
    return bytes(result)


class JSONChange:
    """One document with a few of its values replaced by what a reader must not trust."""

    def __init__(self, document: object, rng: random.Random, numbers: list[float] = NUMBERS) -> None:
        self.document = document
        self.rng = rng
        self.numbers = numbers
        self.raw: dict[str, bytes] = {}

    def text(self) -> bytes:
        for _ in range(self.rng.choice([1, 1, 1, 2, 3])):
            self.document = self.changed(self.document)
        text = json.dumps(self.document).encode()
        for mark, raw in self.raw.items():
            text = text.replace(json.dumps(mark).encode(), raw)
        return text

    def changed(self, node: object) -> object:
        if isinstance(node, (dict, list)) and node and self.rng.random() < 0.85:
            key = self.rng.choice(list(node)) if isinstance(node, dict) else self.rng.randrange(len(node))
            node[key] = self.changed(node[key])
            return node
        return self.instead_of(node)

    def instead_of(self, node: object) -> object:
        rng = self.rng
        if isinstance(node, dict) and node and rng.random() < 0.7:
            key = rng.choice(list(node))
            match rng.randrange(4):
                case 0:
                    del node[key]
                case 1:
                    return self.marked(self.with_key_twice(node, key))
                case 2:
                    node[rng.choice(TEXTS)] = node[key]
                case _:
                    node[key] = None
            return node
        if isinstance(node, list) and node and rng.random() < 0.7:
            match rng.randrange(4):
                case 0:
                    return []
                case 1:
                    return node[: rng.randrange(len(node))]
                case 2:
                    return node * rng.choice([2, 3, 100])
                case _:
                    return node + [rng.choice(self.numbers)]
        if isinstance(node, (int, float)) and rng.random() < 0.6:
            return rng.choice([*self.numbers, -node, node + 1, node * 1000])
        if isinstance(node, str) and rng.random() < 0.6:
            return rng.choice([*TEXTS, node + rng.choice(TEXTS), node * 3, node[: len(node) // 2]])
        match rng.randrange(6):
            case 0:
                return rng.choice([None, True, False, [], {}, "", 0, [[]], {"a": None}])
            case 1:
                return rng.choice(self.numbers)
            case 2:
                return rng.choice(TEXTS)
            case 3:
                depth = rng.choice(DEPTHS)
                opening, closing = rng.choice([(b"[", b"]"), (b'{"a":', b"}")])
                return self.marked(opening * depth + b"1" + closing * (depth - rng.choice([0, 0, 1])))
            case _:
                return self.marked(rng.choice(RAW))

    def with_key_twice(self, node: dict, key: str) -> bytes:
        members = [*node.items(), (key, self.rng.choice([node[key], None, *self.numbers]))]
        # What is marked already keeps its marks: they are replaced in the whole text.
        return b"{" + b",".join(json.dumps(k).encode() + b":" + json.dumps(v).encode() for k, v in members) + b"}"

    def marked(self, raw: bytes) -> str:
        # Later marks may hold earlier ones, and are to be replaced before them.
        mark = f"@raw {len(self.raw)}@"
        self.raw = {mark: raw, **self.raw}
        return mark


def changed_json(text: bytes, rng: random.Random, numbers: list[float] = NUMBERS) -> bytes:
    """A document with a few values changed, sometimes a few bytes too."""
    kind = rng.random()
    if kind < 0.15:
        return changed_bytes(text, rng)
    result = JSONChange(json.loads(text), rng, numbers).text()
    return changed_bytes(result, rng) if kind > 0.9 else result


def changed_lines(text: bytes, rng: random.Random) -> bytes:
    """Text whose lines have gone, come twice, changed places, or are something else."""
    lines = text.split(b"\n")
    for _ in range(rng.choice([1, 1, 2, 5])):
        place = rng.randrange(len(lines))
        match rng.randrange(6):
            case 0:
                del lines[place]
                lines = lines or [b""]
            case 1:
                lines.insert(place, rng.choice(lines))
            case 2:
                other = rng.randrange(len(lines))
                lines[place], lines[other] = lines[other], lines[place]
            case 3:
                lines[place] = hostile_text(rng)
            case 4:
                lines[place] += rng.choice([b" ", b"\r", b"\t", b"\0"]) + hostile_text(rng)
            case _:
                lines[place] = changed_bytes(lines[place], rng)
    return b"\n".join(lines)


def hostile_text(rng: random.Random) -> bytes:
    return rng.choice(
        [rng.choice(TEXTS).encode("utf-8", "surrogatepass"), rng.choice(RAW), rng.randbytes(rng.choice([1, 4, 40]))]
    )


def changed_words(words: list[str], rng: random.Random) -> list[bytes]:
    """A command line of nearly the same words. No word holds a zero byte: none can be passed."""
    result = [word.encode() for word in words]
    for _ in range(rng.choice([1, 1, 2, 3])):
        place = rng.randrange(1, len(result) + 1)
        own: list[Callable[[], bytes]] = [
            lambda: str(rng.choice(NUMBERS)).encode(),
            lambda: hostile_text(rng),
            lambda: rng.choice(
                [b"--", b"-", b"--help", b"--out", b"-t", b"-n", b"--model", b"--format", b"--unknown", b"=", b"--out="]
            ),
            lambda: changed_bytes(rng.choice(result), rng),
        ]
        match rng.randrange(4):
            case 0 if place < len(result):
                del result[place]
            case 1:
                result.insert(place, rng.choice(own)())
            case _ if place < len(result):
                result[place] = rng.choice(own)()
            case _:
                result.append(rng.choice(own)())
    return [word.replace(b"\0", b"") for word in result]


def keys(lines: list[bytes], rng: random.Random) -> bytes:
    """What somebody types into a terminal: lines, and keys that edit them."""
    typed = b""
    for _ in range(rng.choice([1, 5, 20])):
        typed += rng.choice(KEYS) if rng.random() < 0.7 else rng.choice([*lines, hostile_text(rng)])
    # Control-Z would stop the program, and control-\ end it.
    return typed.replace(b"\x1a", b"").replace(b"\x1c", b"")
