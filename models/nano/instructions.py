"""Placing an instruction ("Answer in JSON.") in the question or in the system prompt."""

from dataclasses import replace

from problem import Draw, Problem


def instruct(draw: Draw, problem: Problem, instruction: str, task: str, answer: str) -> Problem:
    """Return `problem` with an instruction and the answer that obeys it.

    Args:
        draw: the randomness.
        problem: a basic problem.
        instruction: the sentence to add.
        task: the name of the task that asks this.
        answer: the content of the right answer.
    """
    question, system = problem.question, problem.system
    roll = draw.rng.random()
    if roll < 0.3:
        system = f"{system} {instruction}".strip()
        if draw.rng.random() < 0.4:
            system = f"You are a helpful assistant. {system}"
    elif roll < 0.9:
        question = f"{question.rstrip()}{draw.rng.choice([' ', ' ', ' ', chr(10)])}{instruction}"
    else:
        question = f"{instruction} {question}"
    return replace(problem, task=task, question=question, system=system, answer=answer)
