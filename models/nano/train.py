"""Train the nano model: about ten minutes on one data-centre GPU, far longer on a CPU.

Everything is made here: the data by the files of tasks/, the tokenizer, the weights. The same
arguments give the same data on any machine; the weights differ a little between kinds of GPU.
"""

import argparse
import os
import shutil
import time
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

import data
import muon
import network
import template
import tokenizer


def parse() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    here = Path(__file__).resolve().parent
    parser.add_argument("--out", type=Path, default=here, help="folder of the model (here)")
    parser.add_argument("--steps", type=int, default=9000, help="training steps (%(default)s)")
    parser.add_argument(
        "--rows", type=int, default=64, help="rows of 1024 tokens in a batch (%(default)s)"
    )
    parser.add_argument(
        "--start",
        type=Path,
        default=None,
        help="go on from this folder's weights and tokenizer (from nothing)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of data and weights (%(default)s)")
    parser.add_argument(
        "--device",
        default="cuda" if torch.cuda.is_available() else "cpu",
        help="cuda or cpu (%(default)s)",
    )
    parser.add_argument(
        "--processes",
        type=int,
        default=max(1, (os.cpu_count() or 2) - 1),
        help="processes that make data (%(default)s)",
    )
    parser.add_argument("--rate", type=float, default=0.02, help="Muon's rate (%(default)s)")
    parser.add_argument(
        "--minutes",
        type=float,
        default=None,
        help="end after so long, even if steps are left (no limit); the rate falls "
        "to zero in time, but results then depend on the machine's speed",
    )
    parser.add_argument(
        "--tokenizer-examples",
        type=int,
        default=30000,
        help="examples that the tokenizer learns from (%(default)s)",
    )
    return parser.parse_args()


def schedule(done: float) -> float:
    """Return the rate's factor when the share `done` (0 to 1) of the training is behind."""
    return min(1.0, done / 0.01 + 0.02, (1 - done) / 0.7)


def main() -> None:
    """Train, and write the model's files."""
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    torch.manual_seed(options.seed)
    torch.set_float32_matmul_precision("high")

    if options.start:
        built = Tokenizer.from_file(str(options.start / "tokenizer.json"))
    else:
        built = tokenizer.build(data.tokenizer_texts(options.seed, options.tokenizer_examples))
    tokenizer.save(built, options.out)
    if options.out.resolve() != template.PATH.parent:
        shutil.copy(template.PATH, options.out)
    print(
        f"tokenizer: {built.get_vocab_size()} tokens, {time.monotonic() - began:.0f} s", flush=True
    )

    stream = data.batches(
        options.out / "tokenizer.json", options.seed, options.rows, options.processes
    )
    first = next(stream)  # The processes start before the GPU is touched.
    model = network.Qwen3().to(options.device)
    if options.start:
        model.load_state_dict(load_file(options.start / "model.safetensors"))
    count = sum(p.numel() for p in model.parameters())
    print(f"model: {count:,} parameters on {options.device}", flush=True)
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim == 1 or "embed" in name]
    fast = muon.Muon(matrices, options.rate)
    adam = torch.optim.AdamW(others, lr=options.rate * 0.15, betas=(0.9, 0.95), weight_decay=0.0)
    loss_of = torch.compile(model) if options.device == "cuda" else model

    losses: list[torch.Tensor] = []
    started = time.monotonic()
    done = 0.0
    step = 0
    while done < 1:
        tokens, labels, positions = (
            torch.from_numpy(part).to(options.device, non_blocking=True).long()
            for part in (first if step == 0 else next(stream))
        )
        mask = network.attention_mask(positions)
        with torch.autocast(options.device, dtype=torch.bfloat16):
            loss = loss_of(tokens, labels, positions, mask)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        factor = schedule(done)
        for group in adam.param_groups:
            group["lr"] = options.rate * 0.15 * factor
        fast.step(factor)
        adam.step()
        model.zero_grad(set_to_none=True)
        losses.append(loss.detach())
        step += 1
        done = step / options.steps
        if options.minutes:
            done = max(done, (time.monotonic() - began) / 60 / options.minutes)
        if step in (1, 10, 50) or step % 200 == 0 or done >= 1:
            mean = torch.stack(losses).mean().item()
            losses.clear()
            seconds = time.monotonic() - started
            speed = step * options.rows * data.ROW / seconds / 1000
            left = seconds / max(done, 1e-9) * (1 - done) / 60
            print(
                f"step {step}/{options.steps} ({done:.0%}), loss {mean:.4f}, "
                f"{speed:.0f}k tokens/s, {left:.1f} min left",
                flush=True,
            )
    network.save(model, options.out)
    print(f"saved {options.out} after {(time.monotonic() - began) / 60:.1f} min", flush=True)


if __name__ == "__main__":
    main()
