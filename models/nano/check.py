"""Ask a model folder the evaluation's questions with transformers: quick on a GPU, no server.

evaluate.py measures what the model card tells; this is for comparing models while training.
"""

import argparse
import collections
import random
import time
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

import questions
from data import prompt_text
from tokenizer import END, MARKS, PAD


@torch.no_grad()
def generate(model, prompts: list[list[int]], sampling: dict | None, most: int) -> list[list[int]]:
    """Return the tokens after each prompt, up to the end token and at most `most`."""
    width = max(map(len, prompts))
    ids = torch.full((len(prompts), width), PAD, device=model.device)
    attend = torch.zeros_like(ids)
    for i, prompt in enumerate(prompts):
        ids[i, width - len(prompt) :] = torch.tensor(prompt)
        attend[i, width - len(prompt) :] = 1
    options = (
        {"do_sample": True, "top_k": 20, **sampling}
        if sampling
        else {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    )
    out = model.generate(
        input_ids=ids,
        attention_mask=attend,
        max_new_tokens=most,
        eos_token_id=END,
        pad_token_id=PAD,
        **options,
    )[:, width:].tolist()
    return [row[: row.index(END)] if END in row else row for row in out]


def main() -> None:
    """Print accuracy per task for every way of asking, and some wrong answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    here = Path(__file__).resolve().parent
    parser.add_argument("--model", type=Path, default=here, help="the model's folder (here)")
    parser.add_argument("--samples", type=int, default=500, help="questions a task (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of the questions (%(default)s)")
    parser.add_argument("--batch", type=int, default=3000, help="prompts at once (%(default)s)")
    parser.add_argument("--wrong", type=int, default=2, help="wrong answers to print (%(default)s)")
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.bfloat16).to(device)
    tokenizer = Tokenizer.from_file(str(options.model / "tokenizer.json"))
    close = tokenizer.token_to_id(MARKS[1])
    for title, controls, new, sampled, budget in [
        ("thinking, greedy", questions.ASKING, False, False, None),
        ("thinking, sampled", questions.ASKING, False, True, None),
        ("thinking, new phrasing", questions.ASKING, True, False, None),
        ("no thinking, greedy", questions.FORBIDDING, False, False, None),
        ("budget", questions.ASKING[:1], False, False, 60),
    ]:
        began = time.monotonic()
        asked = questions.conversations(options.seed, options.samples, controls, new)
        prompts = [tokenizer.encode(prompt_text(c)).ids for _, c in asked]
        thinks = controls[0] in questions.ASKING
        rng = random.Random(options.seed)
        order = sorted(range(len(asked)), key=lambda i: len(asked[i][1].problem.thinking))
        outputs: list[list[int]] = [[]] * len(asked)
        for at in range(0, len(order), options.batch):
            part = order[at : at + options.batch]
            starts: list[list[int]] = [[] for _ in part]
            if budget is not None:
                thoughts = generate(model, [prompts[i] for i in part], None, budget + 1)
                for j, thought in enumerate(thoughts):
                    cut = 1 + rng.choice([0, 5, 20, budget])
                    starts[j] = thought if close in thought[:cut] else [*thought[:cut], close]
            ends = generate(
                model,
                [prompts[i] + start for i, start in zip(part, starts, strict=True)],
                questions.SAMPLING[thinks] if sampled else None,
                420,
            )
            for i, start, end in zip(part, starts, ends, strict=True):
                outputs[i] = start + end
        right = collections.Counter()
        total = collections.Counter()
        thought_right = collections.Counter()
        shown = collections.Counter()
        for (control, conversation), output in zip(asked, outputs, strict=True):
            text = tokenizer.decode(output, skip_special_tokens=False)
            thinking, found, content = text.rpartition("</think>")
            name = conversation.problem.task
            ok = content.strip() == conversation.problem.answer
            thought = bool(found and thinking.replace("<think>", "").strip())
            total[name] += 1
            right[name] += ok
            total[control] += 1
            thought_right[control] += thought == conversation.thinks
            if not ok and (shown[name] < options.wrong) and (thinks or name != "multiply"):
                shown[name] += 1
                print(
                    f"  {name}: {conversation.problem.question!r} [{control}] -> {text!r}, not "
                    f"{conversation.problem.answer!r}"
                )
        seconds = time.monotonic() - began
        print(
            f"{title} ({seconds:.0f} s): "
            + ", ".join(f"{name} {right[name] / total[name]:.1%}" for name in right)
        )
        if budget is None:
            print(
                "  obeyed: "
                + ", ".join(f"{c} {thought_right[c] / total[c]:.1%}" for c in controls if total[c]),
                flush=True,
            )


if __name__ == "__main__":
    main()
