"""The evaluation's questions: the same for a seed, none with operands of training."""

import random

from conversation import CONTROLS, Conversation, converse
from problem import Draw
from tasks import all_tasks

# Qwen3's recommended sampling, with and without thinking; top_k is 20 in both.
SAMPLING = {True: {"temperature": 0.6, "top_p": 0.95}, False: {"temperature": 0.7, "top_p": 0.8}}
ASKING = [name for name, thinks in CONTROLS.items() if thinks]
FORBIDDING = [name for name, thinks in CONTROLS.items() if not thinks]


def conversations(
    seed: int, samples: int, controls: list[str], new_phrasing: bool = False, tasks: list[str] = ()
) -> list[tuple[str, Conversation]]:
    """Return `samples` held-out questions of every task, each with the control it is asked under.

    Args:
        seed: of the questions.
        samples: per task; the controls take turns.
        controls: keys of CONTROLS.
        new_phrasing: True uses only wordings that training never used.
        tasks: names of tasks; all when empty.
    """
    asked = []
    for name, task in all_tasks().items():
        if tasks and name not in tasks:
            continue
        rng = random.Random(f"{seed} {name} {new_phrasing} evaluation")
        for i in range(samples):
            control = controls[i % len(controls)]
            problem = task.make(Draw(rng, held_out=True, new_phrasing=new_phrasing))
            turns = rng.choices([0, 1, 2, 3], [80, 10, 6, 4])[0]
            asked.append((control, converse(problem, rng, control, turns)))
    return asked
