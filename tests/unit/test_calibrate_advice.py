"""Which threshold is recommended, and when none is."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest

from calibrate.advice import Advice, advise
from calibrate.plot import COLOURS, figure
from calibrate.policies import Policy, Row, rows

COUNT = 1000


def policy(
    name: str, wrong: int, tokens: float, threshold: float | None = None, count: int = COUNT
) -> Policy:
    """Return one that is wrong on the first `wrong` questions."""
    right = np.where(np.arange(count) < wrong, 0.0, 1.0)
    same = np.full(count, tokens)
    share = np.full(count, 0.0 if name == "off" else 1.0)
    return Policy(name, right, same, same / 100, share, threshold)


def thresholds(*given: tuple[float, int, float], count: int = COUNT) -> list[Policy]:
    return [policy(f"adaptive {t:g}", wrong, tokens, t, count) for t, wrong, tokens in given]


def brought(
    off: tuple[int, float], *more: Policy, on: tuple[int, float] = (10, 100), count: int = COUNT
) -> list[Row]:
    two = [policy(name, *of, count=count) for name, of in (("off", off), ("on", on))]
    return rows([*two, *more])


def advice(*given: Row) -> Advice:
    return advise(list(given), 48)


def test_the_cheapest_threshold_within_a_point_is_recommended() -> None:
    made = brought((300, 10), *thresholds((0.5, 30, 20), (0.8, 20, 40), (0.9, 12, 50)))
    found = advice(*made)
    assert found.row is made[3]
    assert found.values == "reasoning:\n  adaptive:\n    threshold: 0.8\n    draftTokens: 48\n"
    assert "98.0 % are right with 40 tokens" in found.text
    assert "-1.0 points" in found.text and "interval is not within" in found.text


def test_it_says_when_the_interval_allows_it_too() -> None:
    found = advice(*brought((300, 10), *thresholds((0.9, 10, 50))))
    assert "+0.0 points (+0.0 to +0.0, 95 %)" in found.text and "interval is within" in found.text


def test_of_thresholds_that_do_the_same_the_highest_is_recommended() -> None:
    made = brought((300, 10), *thresholds((0.8, 10, 50), (0.85, 10, 50), (0.9, 10, 60)))
    assert "threshold: 0.85\n" in advice(*made).values


def test_a_budget_that_takes_less_is_named() -> None:
    made = brought((300, 10), policy("budget 64", 10, 30), *thresholds((0.9, 10, 50)))
    assert "budget 64 for every question (reasoning.tokenBudget) takes less" in advice(*made).text
    made = brought((300, 10), policy("budget 64", 90, 30), *thresholds((0.9, 10, 50)))
    assert "budget" not in advice(*made).text


@pytest.mark.parametrize("wrong", [0, 10, 20])
def test_where_it_is_as_good_without_thinking_none_is_recommended(wrong: int) -> None:
    found = advice(*brought((wrong, 10), *thresholds((0.9, 10, 50))))
    assert (found.values, found.row) == ("reasoning:\n  thinkingDefault: false\n", None)
    assert "not worth it: let it not think" in found.text
    assert f"{100 - wrong / 10:.1f} % are right with 10 tokens" in found.text


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([(0.8, 40, 50), (0.9, 12, 97)], "threshold within a point of its accuracy, 0.9, saves"),
        ([(0.8, 40, 50)], "No threshold comes within a point"),
    ],
)
def test_where_no_threshold_saves_enough_none_is_recommended(given, reason: str) -> None:
    found = advice(*brought((300, 10), *thresholds(*given)))
    assert (found.values, found.row) == ("reasoning:\n  thinkingDefault: true\n", None)
    assert "not worth it: let it think always" in found.text and reason in found.text


@pytest.mark.parametrize("off", [0, 10])
def test_with_too_few_questions_nothing_is_recommended(off: int) -> None:
    few = thresholds((0.9, 0, 50), count=40)
    found = advice(*brought((off, 10), *few, on=(0, 100), count=40))
    assert (found.values, found.row) == ("", None)
    assert "Too few questions (40)" in found.text and "100.0 % with 100" in found.text


def test_with_a_wide_interval_nothing_is_recommended() -> None:
    swapped = policy("adaptive 0.9", 0, 50, 0.9, count=150)
    swapped.right[-10:] = 0  # right where thinking is wrong, and the other way round
    made = brought((70, 10), swapped, on=(10, 100), count=150)
    assert made[2].gain.value == 0 and made[2].gain.low < -0.05
    assert "Too few questions (150)" in advice(*made).text


@pytest.mark.parametrize("recommended", [True, False])
def test_the_figure_is_whole_in_both_colour_schemes(recommended: bool) -> None:
    served = policy("adaptive, as served", 12, 45)
    more = [policy("budget 64", 90, 30), *thresholds((0.8, 20, 40), (0.9, 12, 50))]
    made = brought((300 if recommended else 10, 10), *more, policy("oracle", 10, 38), served)
    found = advice(*made)
    svg = ET.fromstring(figure(made, found, "1000 questions to m & n."))
    inside = {child.tag.partition("}")[2]: child for child in svg}
    assert inside["desc"].text and "m & n" in inside["desc"].text
    assert svg.get("aria-labelledby") == f"{inside['title'].get('id')} {inside['desc'].get('id')}"
    light, dark = (inside["style"].text or "").split("@media (prefers-color-scheme:dark)")
    for name, colours in COLOURS.items():
        assert f".{name}{{fill:{colours[0]}" in light and f".{name}{{fill:{colours[1]}" in dark
    texts = [text for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    labels = {str(text.text): text for text in texts}
    named = {"off", "on", "budget 64", "oracle", "as served", "chance"}
    assert named <= labels.keys()
    assert ("adaptive 0.8" in labels) is recommended
    width = float(str(svg.get("viewBox")).split()[2])
    for text in texts:
        if text.get("text-anchor") == "start":
            assert 0 < float(str(text.get("x"))) < width - 6 * len(str(text.text))


def test_a_figure_of_all_alike() -> None:
    made = brought((0, 10), *thresholds((0.9, 0, 10)), on=(0, 10))
    assert ET.fromstring(figure(made, advice(*made), "")) is not None
