"""What every converter starts from: a folder with config.json, model.safetensors and a vocabulary.

    source.py FOLDER MODEL     adds what Hugging Face's tools need, and writes FOLDER/../model.json

FOLDER is what `gpt2-bench export --model MODEL --format safetensors` wrote.
"""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))
from worker import sha256  # noqa: E402

FIELDS = ("n_layer", "n_head", "n_embd", "vocab_size", "n_positions")


def add_vocabulary(folder: Path, size: int) -> None:
    """Numbered tokens where the model has no vocabulary: converters ask for one, contestants get ids."""
    if not (folder / "vocab.json").is_file():
        tokens = {f"<{token}>": token for token in range(size)}
        (folder / "vocab.json").write_text(json.dumps(tokens), encoding="utf-8")
        (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    end = max(vocabulary, key=vocabulary.get)
    special = {f"{role}_token": end for role in ("bos", "eos", "unk")}
    special |= {"tokenizer_class": "GPT2Tokenizer", "model_max_length": 1 << 20}
    (folder / "tokenizer_config.json").write_text(json.dumps(special), encoding="utf-8")


def describe(folder: Path, model: str) -> dict:
    """What a contestant holds a request against: the model's name, its shape, and the digest of the file that
    `--model` named, or of the one that was generated."""
    configuration = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = folder / "model.safetensors"
    if not model.startswith("synthetic:"):
        weights = Path(model) / "model.safetensors" if Path(model).is_dir() else Path(model)
    return {
        "model": model,
        "configuration": {field: configuration[field] for field in FIELDS},
        "safetensors": {"bytes": weights.stat().st_size, "sha256": sha256(weights)},
    }


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    description = describe(folder, sys.argv[2])
    size = description["configuration"]["vocab_size"]
    add_vocabulary(folder, size)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"bos_token_id": size - 1, "eos_token_id": size - 1}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder.parent / "model.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
