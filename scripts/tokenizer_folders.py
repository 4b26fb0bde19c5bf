#!/usr/bin/env python3
"""Folders of tokenizer files with added tokens, and the ids that transformers makes of texts by them.

    pip install transformers==4.57.6
    python scripts/tokenizer_folders.py Tests/GPT2ModelTests/Tokenizer/Data/folders.json

writes the folders and ids that the tokenizer's tests expect; `check_tokenizer.py --folders N` holds `tokenize` against
transformers on random ones. A case names the files of a folder by their contents. `tokenizer.json` is written without
`model.vocab` and `model.merges`, which are those of vocab.json and merges.txt.
"""

import argparse
import json
import os
import random
import tempfile
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["HF_HUB_OFFLINE"] = "1"

from transformers import AutoTokenizer  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
SMALL = ROOT / "Tests/GPT2ModelTests/Tokenizer/Data/small"
END = "<|endoftext|>"
CONTENTS = [
    "<|pad|>", "<|user|>", "<|a", "<|a|>", "|>", "|> ", " x", "the", "é", "\n\n", "<|user|><|pad|>", "ab c", "  ", "_w",
    "user", "<s>", "</s>", "Ġ", "日本", "'s", "7",
]  # fmt: skip
WORDS = [
    "the", "user", "there", "hi", "don't", "’s", "it's", "12", "é", "日本語", "a_w", "_w_", "x", " x ", "naïve", "👩‍💻", "...", "|", "<",
]  # fmt: skip
SPACES = ["", "", " ", "  ", "\n", "\n\n", "\t", "\u3000", "\u00a0", "\u2028", "\r\n", "\u200d"]


def vocabulary(folder: Path) -> tuple[dict[str, int], list[str]]:
    ids = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    lines = (folder / "merges.txt").read_text(encoding="utf-8").split("\n")
    return ids, [line for line in lines if line and not line.startswith("#version")]


def token(content: str, special: bool = False, **flags: bool) -> dict:
    fields = {"content": content, "lstrip": False, "normalized": not special, "rstrip": False, "single_word": False}
    return fields | {"special": special} | flags


def tokenizer_json(added: list[dict], **fields) -> dict:
    """A `tokenizer.json` of byte-level byte-pair encoding; `added` are tokens with ids."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {
        "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "",
        "fuse_unk": False, "byte_fallback": False,
    }  # fmt: skip
    whole = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": byte_level, "post_processor": byte_level, "decoder": byte_level, "model": model,
    }  # fmt: skip
    return whole | fields


def template(tokens: list[tuple[str, int]]) -> dict:
    """A post-processor that puts tokens before a text."""
    special = {content: {"id": content, "ids": [number], "tokens": [content]} for content, number in tokens}
    single = [{"SpecialToken": {"id": content, "type_id": 0}} for content, _ in tokens]
    single.append({"Sequence": {"id": "A", "type_id": 0}})
    pair = [*single, {"Sequence": {"id": "B", "type_id": 1}}]
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": special}


def write(folder: Path, files: dict, base: Path, as_pairs: bool = False) -> None:
    """Makes a folder of a case; `base` has the vocabulary."""
    ids, merges = vocabulary(base)
    (folder / "config.json").write_text('{"model_type": "gpt2"}')
    for name, fields in files.items():
        if name == "tokenizer.json":
            lists = [line.split(" ") for line in merges] if as_pairs else merges
            fields = fields | {"model": fields["model"] | {"vocab": ids, "merges": lists}}
        (folder / name).write_text(json.dumps(fields, ensure_ascii=False), encoding="utf-8")
    if "tokenizer.json" not in files:
        for name in ["vocab.json", "merges.txt"]:
            (folder / name).write_text((base / name).read_text(encoding="utf-8"), encoding="utf-8")


def reference(folder: Path):
    return AutoTokenizer.from_pretrained(str(folder), use_fast=True, local_files_only=True)


def random_files(rng: random.Random, ids: dict[str, int]) -> dict:
    """What may lie in a folder, drawn so that transformers reads it and its files do not contradict each other."""
    contents = rng.sample(CONTENTS, rng.randint(0, 7))
    new = [content for content in contents if content not in ids]
    numbers = {content: ids.get(content, len(ids) + (new.index(content) if content in new else 0)) for content in contents}

    def flags(special: bool) -> dict:
        chosen = {name: rng.random() < 0.2 for name in ("lstrip", "rstrip", "single_word")}
        return chosen | ({"normalized": rng.random() < 0.5} if rng.random() < 0.7 else {"normalized": not special})

    tokens = {}
    for content in contents:
        special = rng.random() < 0.5
        tokens[content] = token(content, special, **flags(special))
    listed = sorted(contents, key=numbers.get)

    def named() -> dict:
        names = {}
        for role in ["bos_token", "eos_token", "pad_token", "unk_token", "sep_token"]:
            if rng.random() < 0.3:
                content = rng.choice([*contents, END])
                names[role] = content
        # Where a list repeats another token's name, transformers 4.57 confuses the two.
        rest = [content for content in contents if content not in names.values()]
        if rest and rng.random() < 0.3:
            names["additional_special_tokens"] = rng.sample(rest, rng.randint(1, min(2, len(rest))))
        return names

    files: dict = {}
    config: dict = {}
    if rng.random() < 0.5:
        config["add_prefix_space"] = rng.random() < 0.5
    if rng.random() < 0.3:
        config["add_bos_token"] = rng.random() < 0.7
    if rng.random() < 0.15:
        config["split_special_tokens"] = True
    if rng.random() < 0.5:
        config["tokenizer_class"] = rng.choice(["GPT2Tokenizer", "GPT2TokenizerFast"])
    uses_json = rng.random() < 0.5
    if uses_json:
        added = [{"id": numbers[content]} | tokens[content] for content in listed]
        if rng.random() < 0.8 and not any(entry["content"] == END for entry in added):
            added.insert(0, {"id": ids[END]} | token(END, True, normalized=rng.random() < 0.5))
        added.sort(key=lambda entry: entry["id"])
        fields = {}
        if rng.random() < 0.3:
            prefix = rng.choice([*contents, END])
            fields["post_processor"] = template([(prefix, numbers.get(prefix, ids[END]))])
        byte_level = {"type": "ByteLevel", "trim_offsets": True, "use_regex": rng.random() < 0.7}
        fields["pre_tokenizer"] = byte_level | {"add_prefix_space": "add_prefix_space" in config and rng.random() < 0.5}
        files["tokenizer.json"] = tokenizer_json(added, **fields)
    if not uses_json or rng.random() < 0.5:
        if rng.random() < 0.6:
            config["added_tokens_decoder"] = {str(numbers[content]): tokens[content] for content in listed}
            config |= named()
            if rng.random() < 0.3:
                files["added_tokens.json"] = {"<|never|>": 9999}
        else:
            names = named()
            if rng.random() < 0.5:
                config |= names
            else:
                dictionary = lambda c: token(c, **flags(True)) if rng.random() < 0.5 else c  # noqa: E731
                files["special_tokens_map.json"] = {
                    role: [dictionary(c) for c in value] if isinstance(value, list) else dictionary(value)
                    for role, value in names.items()
                }
                for value in files["special_tokens_map.json"].values():
                    for entry in value if isinstance(value, list) else [value]:
                        if isinstance(entry, dict):
                            entry.pop("special", None)
            files["added_tokens.json"] = {content: numbers[content] for content in listed if content in new}
    if config or rng.random() < 0.3:
        files["tokenizer_config.json"] = config
    return files


def random_text(rng: random.Random, contents: list[str]) -> str:
    parts = []
    for _ in range(rng.randint(0, 12)):
        parts.append(rng.choice([*contents, END] if rng.random() < 0.5 else WORDS))
        parts.append(rng.choice(SPACES))
    return "".join(parts)


PAD_AND_USER = {"<|pad|>": 600, "<|user|>": 601}
TEXTS = ["hi<|user|>there", " hi <|user|>  there<|pad|>\n", "<|pad|><|user|>", "", "the user", END + "a" + END]


def fixed_cases() -> list[dict]:
    """The cases of the tests, by name: the files of each, and texts."""
    pad, user = token("<|pad|>", True), token("<|user|>")
    listed = [{"id": 599} | token(END, True), {"id": 600} | pad, {"id": 601} | user]
    decoder = {"600": pad, "601": user}

    def config(**fields) -> dict:
        return {"tokenizer_config.json": fields}

    strips = {"600": token("<|pad|>", True, lstrip=True), "601": token("<|user|>", rstrip=True)}
    overlap = {"600": token("<|a", True), "601": token("<|a|>"), "602": token("|><|a", True), "603": token("the")}
    cases = {
        "added_tokens.json": ({"added_tokens.json": PAD_AND_USER}, TEXTS),
        "added_tokens_decoder": (config(added_tokens_decoder=decoder), TEXTS),
        "added_tokens_decoder wins over added_tokens.json": (
            config(added_tokens_decoder={"600": user}) | {"added_tokens.json": PAD_AND_USER}, TEXTS,
        ),
        "special_tokens_map.json": (
            {"special_tokens_map.json": {"pad_token": "<|pad|>", "additional_special_tokens": ["<|user|>"]}}, TEXTS,
        ),
        "special_tokens_map.json wins over tokenizer_config.json": (
            config(bos_token="<|pad|>", add_bos_token=True)
            | {"special_tokens_map.json": {"bos_token": token("<|user|>", lstrip=True)}}, TEXTS,
        ),
        "only tokenizer.json": ({"tokenizer.json": tokenizer_json(listed)}, TEXTS),
        "tokenizer.json without a regex": (
            {"tokenizer.json": tokenizer_json(
                listed, pre_tokenizer={"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                                       "use_regex": False})}, TEXTS,
        ),
        "a template of tokenizer.json": (
            {"tokenizer.json": tokenizer_json(listed, post_processor=template([(END, 599), ("<|user|>", 601)]))}, TEXTS,
        ),
        "tokenizer.json and tokenizer_config.json": (
            {"tokenizer.json": tokenizer_json(listed[:2])}
            | config(added_tokens_decoder={"601": user}, add_prefix_space=True, add_bos_token=True), TEXTS,
        ),
        "add_prefix_space": (config(add_prefix_space=True, added_tokens_decoder=decoder), [*TEXTS, "\nhi", " hi", "é"]),
        "add_bos_token": (config(add_bos_token=True), TEXTS),
        "other spellings of bos and eos": (
            config(add_bos_token=True, bos_token="<s>", eos_token="</s>",
                   added_tokens_decoder={"600": token("<s>", True), "601": token("</s>", True)}),
            ["<s>hi</s>", "hi", END],
        ),
        "split_special_tokens": (config(split_special_tokens=True, added_tokens_decoder=decoder), TEXTS),
        "lstrip and rstrip": (
            config(added_tokens_decoder=strips),
            ["a \u3000\n<|pad|> b", "<|user|> \n\u00a0b", "<|user|>  <|pad|> x", "x<|pad|>y<|user|>z", "  <|pad|>"],
        ),
        "single_word": (
            config(added_tokens_decoder={"600": token("user", single_word=True), "601": token("<|s|>", single_word=True)}),
            ["the user there", "users", "a user", "user", "_user", "é user!", "x<|s|>", " <|s|> ", "<|s|><|s|>", "a\u0301user"],
        ),
        "normalized": (config(added_tokens_decoder=overlap), ["<|a|><|a", "<|a|>", "there<|a the|>", "|><|a|><|a"]),
    }  # fmt: skip
    return [{"name": name, "files": files, "texts": texts} for name, (files, texts) in cases.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    lines = []
    for case in fixed_cases():
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), case["files"], SMALL)
            tokenizer = reference(Path(folder))
            case["texts"] = [{"text": text, "ids": tokenizer(text)["input_ids"]} for text in case["texts"]]
        lines.append(json.dumps(case, separators=(",", ":")))
    out = parser.parse_args().out
    out.write_text('{"cases":[\n' + ",\n".join(lines) + "\n]}\n", encoding="ascii")
    print(f"{out}: {len(lines)} folders")


if __name__ == "__main__":
    main()
