"""What is worked out once for the same arguments."""

from typing import Any

from app.answers.kept import _MOST, kept


def test_it_is_worked_out_once_for_the_same_objects_and_equal_strings() -> None:
    asked: list[tuple[Any, str]] = []

    @kept
    def work_out(table: dict[str, int], name: str) -> int:
        asked.append((dict(table), name))
        return table[name]

    one, other = {"a": 1, "b": 2}, {"a": 1, "b": 2}
    assert [work_out(one, "a"), work_out(one, "".join(["a"])), work_out(one, "b")] == [1, 1, 2]
    assert len(asked) == 2
    assert work_out(other, "a") == 1 and len(asked) == 3


def test_it_does_not_grow_for_ever_nor_take_one_object_for_another() -> None:
    @kept
    def first(numbers: list[int]) -> int:
        return numbers[0]

    for number in range(10 * _MOST):  # each list is gone before the next is made
        assert first([number]) == number
