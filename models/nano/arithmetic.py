"""Worked steps, digit by digit from the right: what the model writes while it thinks."""

import re


def addition_steps(a: int, b: int) -> str:
    """Return the column sums of a + b, such as "7+6+0=13, 4+8+1=13, 3+0+1=4"."""
    first, second, carry, steps = str(a)[::-1], str(b)[::-1], 0, []
    for i in range(max(len(first), len(second))):
        p = int(first[i]) if i < len(first) else 0
        q = int(second[i]) if i < len(second) else 0
        total = p + q + carry
        steps.append(f"{p}+{q}+{carry}={total}")
        carry = total // 10
    return ", ".join(steps)


def addition(a: int, b: int) -> str:
    """Return the thinking for a + b, both non-negative."""
    return f"Addition: {a} + {b}. From the right: {addition_steps(a, b)}. The sum is {a + b}."


def subtraction(a: int, b: int) -> str:
    """Return the thinking for a - b, both non-negative; the difference may be negative."""
    big, small = max(a, b), min(a, b)
    first, second, borrow, steps = str(big)[::-1], str(small)[::-1], 0, []
    for i, digit in enumerate(first):
        p, q = int(digit), int(second[i]) if i < len(second) else 0
        value = p - q - borrow
        steps.append(f"{p}-{q}-{borrow}={value % 10}" + (" borrow" if value < 0 else ""))
        borrow = int(value < 0)
    head = f"Subtraction: {a} - {b}. "
    if len(str(a)) == len(str(b)):
        # The first digit that differs tells the sign.
        pairs = list(zip(str(a), str(b), strict=True))
        same = next((i for i, (p, q) in enumerate(pairs) if p != q), len(pairs) - 1)
        signs = (f"{p}{'=' if p == q else '>' if p > q else '<'}{q}" for p, q in pairs[: same + 1])
        head += f"Digits: {', '.join(signs)}. "
    if a < b:
        head += f"Negative: {b} - {a}. "
    return head + f"From the right: {', '.join(steps)}. The difference is {a - b}."


def _times_digit(a: int, digit: int) -> str:
    carry, steps = 0, []
    for p in map(int, str(a)[::-1]):
        total = p * digit + carry
        steps.append(f"{p}*{digit}+{carry}={total}")
        carry = total // 10
    return f"{a}*{digit}: {', '.join(steps)}, so {a * digit}"


def multiplication(a: int, b: int) -> str:
    """Return the thinking for a * b: one factor at most 999, the other at most 99."""
    big, small = max(a, b), min(a, b)
    tens, ones = divmod(small, 10)
    text = f"Multiplication: {a} * {b}. "
    if tens:
        text += f"{_times_digit(big, tens)}, times ten {big * tens * 10}. "
    if ones or not tens:
        text += f"{_times_digit(big, ones)}. "
    if tens and ones:
        x, y = big * tens * 10, big * ones
        text += f"Add {x} and {y}: {addition_steps(x, y)}. "
    return text + f"The product is {a * b}."


def in_order(question: str, a: int, b: int) -> tuple[int, int]:
    """Return the operands of a sum or product in the order in which the question names them."""
    return (b, a) if re.findall(r"\d+", question)[:2] == [str(b), str(a)] else (a, b)
