#!/usr/bin/env python3
"""Trains the tiny GPT-2 in weights/tiny: about a million parameters, with a byte-level BPE vocabulary of its own.

    python scripts/train_tiny.py --text tinyshakespeare.txt --out weights/tiny

The first 90 % of the text train the vocabulary and the model, the rest validates. OUT gets config.json,
model.safetensors (float32, Hugging Face's names without `transformer.`), vocab.json, merges.txt and
training.log; the weights are those of the evaluation with the lowest validation loss.

The text is taken to be a play: speeches parted by blank lines. Half of the training windows start anywhere,
the other half at a speech, and every second of these is opened by <|endoftext|>, so that the model knows
both ways in which a prompt can begin. Seeds are fixed; the weights still depend on the machine's arithmetic.
"""

import argparse
import json
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel

END_OF_TEXT = "<|endoftext|>"
CONFIG_FIELDS = tuple(
    "activation_function architectures attn_pdrop bos_token_id embd_pdrop eos_token_id initializer_range "
    "layer_norm_epsilon model_type n_embd n_head n_inner n_layer n_positions resid_pdrop tie_word_embeddings "
    "vocab_size".split()
)


@dataclass(frozen=True)
class Shape:
    """The model's shape: heads divide channels."""

    layers: int = 4
    heads: int = 4
    channels: int = 128
    vocabulary: int = 1024
    context: int = 256


@dataclass(frozen=True)
class Corpus:
    """Token ids of both splits, and what is needed to draw windows and to count loss per byte."""

    train: torch.Tensor  # (tokens,)
    validation: torch.Tensor  # (tokens,)
    speech_starts: torch.Tensor  # (speeches,) positions in `train` that follow a blank line
    id_bytes: torch.Tensor  # (vocabulary,) UTF-8 bytes of each id
    end_of_text: int


def train_vocabulary(text: str, size: int, out: Path) -> Tokenizer:
    """Learns a byte-level BPE of `size` ids, <|endoftext|> the last, and writes GPT-2's two files."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - 1,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text], trainer)
    if tokenizer.get_vocab_size() != size - 1:
        raise ValueError(f"the text yields {tokenizer.get_vocab_size()} ids, expected {size - 1}: give a longer text")
    tokenizer.add_special_tokens([END_OF_TEXT])
    tokenizer.model.save(str(out))
    vocabulary = dict(sorted(tokenizer.get_vocab().items(), key=lambda item: item[1]))
    (out / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    return tokenizer


def read_corpus(text_file: Path, shape: Shape, out: Path) -> Corpus:
    """Splits the text 90/10, trains the vocabulary on the first part and encodes both."""
    text = text_file.read_text(encoding="utf-8")
    split = len(text) * 9 // 10
    tokenizer = train_vocabulary(text[:split], shape.vocabulary, out)
    train, validation = (torch.tensor(tokenizer.encode(part).ids) for part in (text[:split], text[split:]))
    for name, ids in (("train", train), ("validation", validation)):
        if len(ids) <= shape.context:
            raise ValueError(f"{text_file}: the {name} split has {len(ids)} tokens, expected more than {shape.context}")
    newline = tokenizer.encode("\n").ids[0]
    is_newline = train == newline
    starts = (is_newline[:-1] & is_newline[1:]).nonzero().flatten() + 2
    starts = starts[starts + shape.context < len(train)]
    if len(starts) == 0:
        raise ValueError(f"{text_file}: no blank line in the train split, expected speeches parted by blank lines")
    id_bytes = torch.tensor([len(tokenizer.id_to_token(i)) for i in range(shape.vocabulary)])
    return Corpus(train, validation, starts, id_bytes, tokenizer.token_to_id(END_OF_TEXT))


def draw_batch(corpus: Corpus, context: int, batch: int, generator: torch.Generator) -> torch.Tensor:
    """Draws windows of training ids, (batch, context + 1): half of them anywhere, half at a speech."""

    def below(bound: int, count: int) -> torch.Tensor:
        return torch.randint(bound, (count,), generator=generator)

    anywhere = below(len(corpus.train) - context, batch - batch // 2)
    speeches = corpus.speech_starts[below(len(corpus.speech_starts), batch // 2)]
    starts = torch.cat([anywhere, speeches])
    windows = corpus.train[starts[:, None] + torch.arange(context + 1)]
    opened = windows[len(anywhere) :: 2]
    opened[:] = torch.cat([torch.full((len(opened), 1), corpus.end_of_text), opened[:, :-1]], dim=1)
    return windows


@torch.no_grad()
def validation_loss(model: GPT2LMHeadModel, corpus: Corpus, context: int) -> tuple[float, float]:
    """Mean cross-entropy in nats per token, and in bits per byte, over adjacent windows of the validation split."""
    model.eval()
    ids = corpus.validation
    count = (len(ids) - 1) // context
    inputs = ids[: count * context].view(count, context)
    targets = ids[1 : count * context + 1].view(count, context)
    nats = 0.0
    for x, y in zip(inputs.split(16), targets.split(16), strict=True):
        logits = model(x).logits
        nats += torch.nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="sum").item()
    model.train()
    return nats / targets.numel(), nats / math.log(2) / corpus.id_bytes[targets].sum().item()


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear warm-up over the first 5 % of the steps, then a cosine down to a twentieth of the peak."""
    warmup = max(1, steps // 20)
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return peak * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * progress)))


def make_model(shape: Shape, dropout: float, end_of_text: int) -> GPT2LMHeadModel:
    """A GPT-2 of that shape with fresh weights."""
    config = GPT2Config(
        n_layer=shape.layers,
        n_head=shape.heads,
        n_embd=shape.channels,
        vocab_size=shape.vocabulary,
        n_positions=shape.context,
        activation_function="gelu_pytorch_tanh",  # gelu_new's formula, fused; saved under GPT-2's own name
        layer_norm_epsilon=1e-5,
        tie_word_embeddings=True,
        bos_token_id=end_of_text,
        eos_token_id=end_of_text,
        resid_pdrop=dropout,
        embd_pdrop=dropout,
        attn_pdrop=0.0,
    )
    return GPT2LMHeadModel(config)


def make_optimizer(model: GPT2LMHeadModel, peak: float) -> torch.optim.AdamW:
    """AdamW; matrices and embeddings decay, biases and layer norms do not."""
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.99))


def save_model(model: GPT2LMHeadModel, out: Path) -> None:
    """Writes config.json and model.safetensors: the tied output head is not stored twice."""
    config = model.config.to_dict()
    config.update(architectures=["GPT2LMHeadModel"], activation_function="gelu_new", tie_word_embeddings=True)
    kept = {name: config[name] for name in CONFIG_FIELDS}
    (out / "config.json").write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    tensors = {name: tensor.contiguous() for name, tensor in model.transformer.state_dict().items()}
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})


def train(corpus: Corpus, shape: Shape, options: argparse.Namespace) -> None:
    """The training loop: one line of training.log per evaluation, the best weights kept."""
    torch.manual_seed(options.seed)
    generator = torch.Generator().manual_seed(options.seed)
    model = make_model(shape, options.dropout, corpus.end_of_text).train()
    optimizer = make_optimizer(model, options.learning_rate)
    parameters = sum(p.numel() for p in model.parameters())
    log = [
        f"parameters {parameters}, train tokens {len(corpus.train)}, validation tokens {len(corpus.validation)}, "
        f"batch {options.batch} x {shape.context}, peak learning rate {options.learning_rate}, "
        f"dropout {options.dropout}, seed {options.seed}",
        f"{'step':>6} {'train loss':>10} {'val loss':>9} {'bits/byte':>9} {'seconds':>8}",
    ]
    print(*log, sep="\n", flush=True)
    best, running, began = math.inf, [], time.monotonic()
    for step in range(1, options.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step - 1, options.steps, options.learning_rate)
        windows = draw_batch(corpus, shape.context, options.batch, generator)
        logits = model(windows[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        running.append(loss.item())
        if step % options.every == 0 or step == options.steps:
            per_token, per_byte = validation_loss(model, corpus, shape.context)
            elapsed = time.monotonic() - began
            mean = sum(running) / len(running)
            log.append(f"{step:>6} {mean:>10.4f} {per_token:>9.4f} {per_byte:>9.4f} {elapsed:>8.0f}")
            print(log[-1], flush=True)
            (options.out / "training.log").write_text("\n".join(log) + "\n", encoding="utf-8")
            running = []
            if per_token < best:
                best = per_token
                save_model(model, options.out)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, required=True, help="UTF-8 text to train on")
    parser.add_argument("--out", type=Path, required=True, help="folder that gets the model's files")
    parser.add_argument("--steps", type=int, default=3000, help="optimizer steps (default %(default)s)")
    parser.add_argument("--batch", type=int, default=16, help="windows per step (default %(default)s)")
    parser.add_argument("--learning-rate", type=float, default=3e-3, help="peak (default %(default)s)")
    parser.add_argument(
        "--dropout", type=float, default=0.1, help="on embeddings and residual branches (default %(default)s)"
    )
    parser.add_argument("--every", type=int, default=100, help="steps between evaluations (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(default %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default %(default)s)")
    options = parser.parse_args()
    for name in ("steps", "batch", "every", "threads"):
        if getattr(options, name) < 1:
            parser.error(f"--{name}: {getattr(options, name)}, expected at least 1")
    return options


def main() -> int:
    options = parse_arguments()
    shape = Shape()
    torch.set_num_threads(options.threads)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        corpus = read_corpus(options.text, shape, options.out)
        train(corpus, shape, options)
    except (OSError, ValueError) as error:
        print(f"train_tiny: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
