"""Float32 GGUF for llama.cpp, by its own `gguf` package.    to_gguf.py WEIGHTS OUT

llama.cpp's convert_hf_to_gguf.py writes the same tensors, and a vocabulary that it must know; contestants get ids,
so this file has none, which also spares llama.cpp the time to load it.
"""

import json
import re
import sys
from pathlib import Path

import gguf
from safetensors.numpy import load_file

NAMES = {
    "wte": "token_embd",
    "wpe": "position_embd",
    "ln_f": "output_norm",
    "ln_1": "attn_norm",
    "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "ln_2": "ffn_norm",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
}


def gguf_name(name: str) -> str:
    """`h.3.mlp.c_fc.weight` is `blk.3.ffn_up.weight` there."""
    block, part, kind = re.fullmatch(r"(?:transformer\.)?(?:h\.(\d+)\.)?(.+)\.(weight|bias)", name).groups()
    return (f"blk.{block}." if block else "") + f"{NAMES[part]}.{kind}"


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    weights, out = map(Path, sys.argv[1:])
    config = json.loads((weights / "config.json").read_text(encoding="utf-8"))
    writer = gguf.GGUFWriter(out / "model.gguf", "gpt2")
    writer.add_block_count(config["n_layer"])
    writer.add_context_length(config["n_positions"])
    writer.add_embedding_length(config["n_embd"])
    writer.add_feed_forward_length(4 * config["n_embd"])
    writer.add_head_count(config["n_head"])
    writer.add_layer_norm_eps(config["layer_norm_epsilon"])
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("none")
    for name, values in load_file(weights / "model.safetensors").items():
        is_linear = re.search(r"\.c_(attn|proj|fc)\.weight$", name)  # Hugging Face keeps these as (in, out)
        writer.add_tensor(gguf_name(name), values.T.copy() if is_linear else values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
