"""A file of questions: what it may be, and how a bad line is refused."""

import json
from pathlib import Path

import pytest

from calibrate import Stop
from calibrate.questions import read

GOOD = {"question": "What is 347 * 86?", "answer": "29842", "grade": "number"}


def written(path: Path, *lines: object) -> Path:
    path = path / "questions.jsonl"
    path.write_text("".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines))
    return path


def test_questions_and_messages(tmp_path: Path) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2 + 2?"}]
    more = {"messages": messages, "answer": 4, "grade": "number"}
    first, second = read(written(tmp_path, GOOD, "", more))
    assert first.messages == [{"role": "user", "content": "What is 347 * 86?"}]
    assert (second.messages, second.answer, second.grade) == (messages, "4", "number")
    assert first.key != second.key
    assert read(written(tmp_path, {**GOOD, "answer": "1"}))[0].key == first.key


def test_without_answers_texts_are_compared_unless_a_grade_says_otherwise(tmp_path: Path) -> None:
    asked = read(written(tmp_path, {"question": "a"}, {"question": "b", "grade": "number"}))
    assert [(q.answer, q.grade) for q in asked] == [(None, "exact"), (None, "number")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "no JSON"),
        ("[1]", "no JSON object"),
        ({**GOOD, "anwser": "1"}, "unknown anwser; the fields are answer, grade,"),
        ({"answer": "1", "grade": "exact"}, 'either "question" or "messages"'),
        ({**GOOD, "messages": []}, 'either "question" or "messages"'),
        ({**GOOD, "question": ""}, "no text"),
        ({"messages": [{"role": "user"}], "answer": "1", "grade": "exact"}, "no text"),
        ({**GOOD, "question": "b", "answer": True}, "neither a string nor a number"),
        ({"question": "b", "answer": "1"}, "let it be one of number"),
        ({**GOOD, "question": "b", "answer": "many"}, "has no number"),
        ({"question": "b"}, 'has no "answer", and line 1 has one'),
        (GOOD, "asks the same as line 1"),
    ],
)
def test_a_bad_line_is_refused_with_its_place(line: object, reason: str, tmp_path: Path) -> None:
    path = written(tmp_path, GOOD, line)
    with pytest.raises(Stop) as refused:
        read(path)
    assert str(refused.value).startswith(f"{path}:2: ")
    assert reason in str(refused.value)


def test_all_bad_lines_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(Stop, match=r"(?s):1: .*:3: "):
        read(written(tmp_path, "{", GOOD, "x"))


def test_a_file_without_questions(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="no questions"):
        read(written(tmp_path, ""))
    with pytest.raises(Stop, match="QUESTIONS=FILE"):
        read(tmp_path / "absent.jsonl")
