"""Valid inputs of every reader that scripts/fuzz.py tries, small, and how one mutated input is made of each.

Weights are written here rather than exported: a few hundred bytes, in which most mutations hit what a reader looks at.
Records, suites, references and workers' messages are the project's own.
"""

import json
import random
import shlex
import struct
from pathlib import Path

from fuzz_mutations import changed_bytes, hostile_text

ROOT = Path(__file__).resolve().parent.parent
GOLDENS = ROOT / "Tests/CommandTests/Goldens/inputs"
SHAPE = LAYERS, HEADS, CHANNELS, VOCABULARY, CONTEXT = 1, 2, 4, 7, 5
MODEL = "synthetic:" + ",".join(str(size) for size in SHAPE)


def dumped(document: object) -> bytes:
    return json.dumps(document).encode()


# --- weights


def shapes() -> dict[str, tuple[int, ...]]:
    """Hugging Face's names, in the order in which GPT-2 is written."""
    c, result = CHANNELS, {"wte.weight": (VOCABULARY, CHANNELS), "wpe.weight": (CONTEXT, CHANNELS)}
    for layer in range(LAYERS):
        for name, shape in [
            ("ln_1.weight", (c,)), ("ln_1.bias", (c,)), ("attn.c_attn.weight", (c, 3 * c)),
            ("attn.c_attn.bias", (3 * c,)),
            ("attn.c_proj.weight", (c, c)), ("attn.c_proj.bias", (c,)), ("ln_2.weight", (c,)), ("ln_2.bias", (c,)),
            ("mlp.c_fc.weight", (c, 4 * c)), ("mlp.c_fc.bias", (4 * c,)), ("mlp.c_proj.weight", (4 * c, c)),
            ("mlp.c_proj.bias", (c,)),
        ]:  # fmt: skip
            result[f"h.{layer}.{name}"] = shape
    return result | {"ln_f.weight": (c,), "ln_f.bias": (c,)}


def values(shape: tuple[int, ...]) -> bytes:
    count = 1
    for size in shape:
        count *= size
    return struct.pack(f"<{count}f", *(((i * 37) % 64 - 32) / 64 for i in range(count)))


def safetensors(tensors: dict[str, tuple[int, ...]]) -> tuple[bytes, bytes]:
    """Header and data."""
    header, data = {"__metadata__": {"format": "pt", "n_head": str(HEADS)}}, b""
    for name, shape in tensors.items():
        own = values(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(data), len(data) + len(own)]}
        data += own
    return dumped(header), data


def whole(header: bytes, data: bytes) -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def llmc() -> bytes:
    padded = VOCABULARY
    header = struct.pack("<8i", 20240326, 3, CONTEXT, VOCABULARY, LAYERS, HEADS, CHANNELS, padded)
    return header.ljust(1024, b"\0") + b"".join(values(shape) for shape in shapes().values())


def seed() -> bytes:
    header = struct.pack("<5i", LAYERS, HEADS, CHANNELS, VOCABULARY, CONTEXT)
    return header + b"".join(values(shape) for shape in shapes().values())


def config() -> bytes:
    return dumped(
        {
            "model_type": "gpt2",
            "architectures": ["GPT2LMHeadModel"],
            "n_layer": LAYERS,
            "n_head": HEADS,
            "n_embd": CHANNELS,
            "vocab_size": VOCABULARY,
            "n_positions": CONTEXT,
            "n_ctx": CONTEXT,
            "n_inner": None,
            "layer_norm_epsilon": 1e-5,
            "activation_function": "gelu_new",
            "tie_word_embeddings": True,
            "eos_token_id": [6, 5],
            "bos_token_id": 6,
            "scale_attn_weights": True,
            "scale_attn_by_inverse_layer_idx": False,
            "add_cross_attention": False,
        }  # fmt: skip
    )


# --- GGUF

UINT32, FLOAT32, BOOL, STRING, ARRAY, UINT64 = 4, 6, 7, 8, 9, 10
GGUF_NAMES = {
    "wte": "token_embd", "wpe": "position_embd", "ln_1": "attn_norm", "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "ln_2": "ffn_norm", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down", "ln_f": "output_norm",
}  # fmt: skip


def gguf_text(text: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text


def gguf_entries() -> list[tuple[bytes, int, bytes]]:
    """Key, type and value of all metadata."""
    tokens = [b"a", b"b", b"ab", b"c", b"abc", b"<|user|>", b"<|endoftext|>"]

    def array(kind: int, elements: list[bytes]) -> bytes:
        return struct.pack("<IQ", kind, len(elements)) + b"".join(elements)

    def number(value: int) -> bytes:
        return struct.pack("<I", value)

    return [
        (b"general.architecture", STRING, gguf_text(b"gpt2")), (b"general.alignment", UINT32, number(32)),
        (b"gpt2.block_count", UINT32, number(LAYERS)), (b"gpt2.context_length", UINT32, number(CONTEXT)),
        (b"gpt2.embedding_length", UINT32, number(CHANNELS)),
        (b"gpt2.feed_forward_length", UINT32, number(4 * CHANNELS)),
        (b"gpt2.attention.head_count", UINT32, number(HEADS)),
        (b"gpt2.attention.layer_norm_epsilon", FLOAT32, struct.pack("<f", 1e-5)),
        (b"tokenizer.ggml.model", STRING, gguf_text(b"gpt2")), (b"tokenizer.ggml.pre", STRING, gguf_text(b"gpt-2")),
        (b"tokenizer.ggml.tokens", ARRAY, array(STRING, [gguf_text(token) for token in tokens])),
        (b"tokenizer.ggml.token_type", ARRAY, array(5, [number(kind) for kind in (1, 1, 1, 1, 1, 4, 3)])),
        (b"tokenizer.ggml.merges", ARRAY, array(STRING, [gguf_text(b"a b"), gguf_text(b"ab c")])),
        (b"tokenizer.ggml.eos_token_id", UINT32, number(6)), (b"tokenizer.ggml.eot_token_id", UINT32, number(6)),
        (b"tokenizer.ggml.add_bos_token", BOOL, b"\0"), (b"general.size", UINT64, struct.pack("<Q", 1)),
    ]  # fmt: skip


def gguf_tensors() -> tuple[list[tuple[bytes, list[int], int, int]], bytes]:
    """Name, dimensions, type and offset of each tensor, and the data."""
    table, data = [], b""
    for name, shape in shapes().items():
        stem, suffix = name.rsplit(".", 1)
        block = ""
        if stem.startswith("h."):
            layer, stem = stem[2:].split(".", 1)
            block = f"blk.{layer}."
        is_linear = suffix == "weight" and stem in ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
        table.append(
            (
                f"{block}{GGUF_NAMES[stem]}.{suffix}".encode(),
                list(shape if is_linear else reversed(shape)),
                0,
                len(data),
            )
        )
        data += values(shape)
        data += bytes(-len(data) % 32)
    return table, data


def gguf(rng: random.Random | None = None) -> bytes:
    entries, (table, data) = gguf_entries(), gguf_tensors()
    counts = [len(table), len(entries)]
    for _ in range(rng.choice([0, 1, 1, 2, 3]) if rng else 0):
        place, row = rng.randrange(len(entries)), rng.randrange(len(table))
        key, kind, value = entries[place]
        name, dimensions, encoding, offset = table[row]
        match rng.randrange(9):
            case 0:
                del entries[place]
            case 1:
                entries.append(entries[place])
            case 2:
                entries[place] = (key, rng.choice([*range(14), 2**31]), value)
            case 3:
                entries[place] = (key, kind, changed_bytes(value, rng))
            case 4:
                entries[place] = (key, kind, gguf_text(hostile_text(rng)) if kind == STRING else rng.choice(entries)[2])
            case 5:
                table[row] = (name, dimensions, rng.choice([*range(40), 2**31]), offset)
            case 6:
                table[row] = (
                    name,
                    [rng.choice([0, 1, 2, 7, 2**31, 2**62, 2**63, 2**64 - 1, *dimensions]) for _ in dimensions],
                    encoding,
                    offset,
                )
            case 7:
                table[row] = (name, dimensions, encoding, rng.choice([0, 1, 32, len(data), 2**31, 2**63, 2**64 - 32]))
            case _:
                counts[rng.randrange(2)] = rng.choice([0, 1, 2**31, 2**61, 2**63, 2**64 - 1])
    if rng is None or rng.random() < 0.8:
        counts = [len(table), len(entries)]
    result = b"GGUF" + struct.pack("<IQQ", 3, *counts)
    for key, kind, value in entries:
        result += gguf_text(key) + struct.pack("<I", kind) + value
    for name, dimensions, encoding, offset in table:
        result += gguf_text(name) + struct.pack(f"<I{len(dimensions)}Q", len(dimensions), *dimensions)
        result += struct.pack("<IQ", encoding, offset)
    header = len(result)
    result = result.ljust(-(-header // 32) * 32, b"\0") + data
    return changed_bytes(result, rng, header) if rng and rng.random() < 0.4 else result


# --- text


def tokenizer_files() -> dict[str, bytes]:
    """A vocabulary of all bytes and a few merges, in every file that Hugging Face's tokenizers write."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = [chr(byte) for byte in printable] + [chr(256 + place) for place in range(len(others))]
    merges = ["t h", "th e", "Ġ t", "h e", "Ġt he", "a b", "Ġ a"]
    tokens = letters + [merge.replace(" ", "") for merge in merges] + ["<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    end = vocabulary["<|endoftext|>"]
    added = {
        "content": "<|user|>", "single_word": False, "lstrip": True, "rstrip": False, "normalized": False,
        "special": True,
    }  # fmt: skip
    return {
        "vocab.json": dumped(vocabulary),
        "merges.txt": ("#version: 0.2\n" + "\n".join(merges) + "\n").encode(),
        "added_tokens.json": dumped({"<|user|>": len(tokens)}),
        "special_tokens_map.json": dumped(
            {"eos_token": "<|endoftext|>", "bos_token": added | {"content": "<|endoftext|>"}}
        ),
        "tokenizer_config.json": dumped(
            {
                "add_prefix_space": False,
                "add_bos_token": False,
                "eos_token": "<|endoftext|>",
                "model_max_length": 1024,
                "tokenizer_class": "GPT2Tokenizer",
                "added_tokens_decoder": {str(len(tokens)): added},
            }  # fmt: skip
        ),
        "generation_config.json": dumped({"eos_token_id": [end], "bos_token_id": end}),
        "tokenizer.json": dumped(
            {
                "version": "1.0",
                "truncation": None,
                "padding": None,
                "normalizer": None,
                "added_tokens": [{"id": len(tokens)} | added],
                "post_processor": {"type": "ByteLevel", "trim_offsets": False},
                "pre_tokenizer": {
                    "type": "ByteLevel",
                    "add_prefix_space": False,
                    "trim_offsets": True,
                    "use_regex": True,
                },
                "decoder": {"type": "ByteLevel"},
                "model": {"type": "BPE", "dropout": None, "unk_token": None, "vocab": vocabulary, "merges": merges},
            }  # fmt: skip
        ),
    }


# --- known results


def npy_file(kind: str, shape: tuple[int, ...], data: bytes) -> bytes:
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def npy(rows: int, columns: int) -> bytes:
    return npy_file("<f4", (rows, columns), values((rows, columns)))


def reference() -> dict[str, bytes]:
    prompt = {
        "name": "p0", "ids": [1, 2], "positions": [0, 1], "logits": "p0.npy", "argmax": [3, 3],
        "top5": [[3, 1], [3, 2]],
        "top5_logits": [[0.5, 0.25], [0.5, 0.25]], "max_abs_logit": 0.5, "min_margin": 0.1, "greedy": [3, 4], "seed": 0,
    }  # fmt: skip
    document = {"format": 1, "case": "small", "model": MODEL, "made_with": {"torch": "2"}, "prompts": [prompt]}
    return {"reference.json": dumped(document), "p0.npy": npy(2, VOCABULARY)}


def continuations() -> bytes:
    return dumped(
        {
            "format": 1,
            "case": "small greedy",
            "model": MODEL,
            "how_to_get": "it is made up",
            "shape": {
                "layers": LAYERS,
                "heads": HEADS,
                "channels": CHANNELS,
                "vocabulary": VOCABULARY,
                "context": CONTEXT,
            },
            "position_embedding": [[0, 0, 0.5], [4, 3, -0.25]],
            "prompts": [{"text": "ab", "ids": [1, 2], "greedy": [3, 4], "continuation": "cd"}],
        }  # fmt: skip
    )


def suites() -> list[bytes]:
    return [path.read_bytes() for path in sorted((ROOT / "Benchmarks/suites").glob("*.json"))]


# --- records


def shortened(node: object) -> object:
    """The same document with a few elements in each array: what a reader meets does not come hundreds of times."""
    if isinstance(node, dict):
        result = {key: shortened(value) for key, value in node.items()}
        if "keptPasses" in result:
            result["keptPasses"] = min(result["keptPasses"], len(result["passNanoseconds"]))
        return result
    if isinstance(node, list):
        return [shortened(value) for value in (node[:2] if len(node) > 8 else node[:4])]
    return node


def records(names: list[str]) -> list[bytes]:
    return [dumped(shortened(json.loads((GOLDENS / f"{name}.json").read_bytes()))) for name in names]


RUNS = ["base", "batch", "peer", "troubled", "counters", "matmul", "ops", "profile"]
RUN_FORMATS = ["md", "csv", "json", "html", "github", "github-action", "bmf", "llama-bench", "llama-bench-sql"]
EXPLANATION_FORMATS = ["text", "md", "csv", "json", "html"]
COMPARISON_FORMATS = ["md", "csv", "json", "html", "github", "github-action", "bmf"]

# --- the program itself

TAME = [0, -1, 1, 2, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**30, 0.5, -0.5, 1e300]
WORKER_LOAD = b'{"id":1,"operation":"load","payload":{"model":"model","variant":"packed","threads":1,"cold":false}}'


def worker_requests() -> list[bytes]:
    """Those of the goldens that a worker answers at once, with a model of this folder, and every other operation."""
    known = [
        line for line in (GOLDENS / "worker-requests.jsonl").read_bytes().splitlines()
        if line.startswith(b"{") and b'"quit"' not in line and len(line) < 400
    ]  # fmt: skip
    shapes = [
        '"gemm":{"m":2,"k":8,"n":12}', '"operation":{"gelu":{"rows":2,"channels":16}}',
        '"operation":{"softmax":{"rows":2,"heads":2,"depth":3}}',
        '"operation":{"attention":{"rows":2,"heads":2,"headSize":4,"depth":3}}',
        '"operation":{"embedding":{"rows":2,"channels":8,"vocabulary":16}}',
        '"operation":{"sampling":{"vocabulary":16,"choice":"top-k"}}',
        '"operation":{"layerNorm":{"rows":2,"channels":16}}',
    ]  # fmt: skip
    checks = [
        f'{{"id":2,"operation":"check","payload":{{"references":[],"scope":{{"longestPrompt":4,"greedySteps":2}},"oraclePrompts":[],{shape}}}}}'
        for shape in shapes
    ]
    runs = [f'{{"id":3,"operation":"run","payload":{{{shape}}}}}' for shape in shapes]
    made = [line.encode() for line in checks + runs]
    return [WORKER_LOAD] + [line.replace(b"weights/tiny", b"model").replace(b"[1024]", b"[9]") for line in known] + made


CHAT_LINES = [
    b"ab the", b"<|endoftext|>", b"/help", b"/help set", b"/settings", b"/set", b"/set temperature 0.5",
    b"/set top-k 3", b"/set top-p 0.9",
    b"/set min-p 0.1", b"/set repetition-penalty 1.1", b"/set seed 7", b"/set max-tokens 2", b'/set stop "a\\n" b',
    b'/set separator "\\n\\n"',
    b"/set user You:", b"/set answer It:", b"/reset", b"/clear", b"/status", b"/mode dialogue", b"/mode complete",
    b"/info", b"/load model", b"/load " + MODEL.encode(), b"/variant naive", b"/variant kv-cache", b"/nothing",
]  # fmt: skip

#: None of them measures for long, whatever becomes of a word.
COMMANDS = [
    shlex.split(line)
    for line in """
    report run.json --format md
    report run.json --format csv --out written.csv
    compare run.json run.json --max-regression 5%,decode=2% --rows 'packed decode,memory'
    explain profile.json:packed profile.json --stage decode --format text
    tokenize 'ab the' --model model
    tokenize --decode '1 2 3' --model model
    generate ab --model model -n 2 --temperature 0.5 --top-k 3 --top-p 0.9 --seed 7
    generate --ids '1 2 3' --print-ids --model model -n 2 --stop a --variant naive -t 1
    logits --ids '1 2 3' --model model --last --out w.npy --variant naive
    perplexity --model model --format json text.txt
    export --model model --format seed --out copy
    list variants
    list models
    list suites
    list baselines
    help
    --help
    run --help
    run -p 4 -n 2 -d 1,2 --batch 1 --model no/model --variants naive,packed -t 1 -r 2
    all --suite suite.json --model no/model --budget 0.1 --seed 1 --save-baseline a
    check --model no/model --variants packed --reference none
    profile --model no/model -p 2 -n 2 --trace t.json --folded f
    chat --model no/model -n 3 --mode dialogue
    train --data no/text --layers 1 --heads 2 --channels 8 --context 4 --steps 2 --batch 1 --lr 1e-3 --clip 1 --out w
    train --data no/text --warmup 0 --order random --validation 0.1 --dropout 0.1 --schedule constant --seed 1 --out w
    train --resume no/training --data text.txt --steps 5 --evaluate-every 0 --checkpoint-every 2 -t 1 --out w
    """.strip().splitlines()
]
