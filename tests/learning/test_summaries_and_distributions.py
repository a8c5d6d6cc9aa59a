"""Numbers read off courses, and distributions as people write them."""

import numpy as np
import pytest

from graftline.base.errors import InputError
from graftline.learning import Summary, read_distribution, read_summary

TIMES = np.array([0.0, 1.0, 2.0, 3.0])
COURSES = np.array([[4.0, 2.0, 8.0, 6.0], [2.0, 3.0, np.nan, 1.0], [0.0, 5.0, 1.0, 2.0]])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("peak:x", [8, np.nan, 5]),
        ("minimum:x", [2, np.nan, 0]),
        ("peak_time:x", [2, np.nan, 1]),
        ("x@3", [6, np.nan, 2]),
        ("reaches:x:6", [1, np.nan, 0]),
        ("best_ratio:x", [0.5, np.nan, np.nan]),
        ("best_change:x", [-50, np.nan, np.nan]),
        ("log10:minimum:x", [np.log10(2), np.nan, np.nan]),
    ],
)
def test_a_summary_is_what_its_words_say(text, expected):
    summary = read_summary(text, ("x",))
    assert summary.spelled() == text
    assert np.allclose(summary.of(TIMES, COURSES), expected, equal_nan=True)


def test_visits_limit_the_best_change():
    assert Summary(kind="best_ratio", quantity="x", at=(3.0,)).of(TIMES, COURSES[:1]) == 1.5


@pytest.mark.parametrize(
    ("text", "found"), [("top:x", "is no number of a course"), ("peak:y", "there is no y"), ("x@late", "is no number")]
)
def test_what_is_no_summary_is_told(text, found):
    with pytest.raises(InputError, match=found):
        read_summary(text, ("x",))


def test_distributions_have_their_quantiles():
    quantiles = np.array([0.0, 0.25, 0.5, 1.0])
    assert np.allclose(read_distribution("2:6", "k").at(quantiles), [2, 3, 4, 6])
    assert np.allclose(read_distribution("1:100:log", "k").at(quantiles), [1, 10**0.5, 10, 100])
    lognormal = read_distribution("3~0.5", "k")
    drawn = lognormal.at((np.arange(200_000) + 0.5) / 200_000)
    assert np.median(drawn) == pytest.approx(3)
    assert drawn.std() / drawn.mean() == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("6:2", "6 is not below 2"),
        ("0:2:log", "logarithm of 0"),
        ("x", "is no distribution"),
        ("-1~0.3", "needs numbers above 0"),
    ],
)
def test_what_is_no_distribution_is_told_with_its_place(text, found):
    with pytest.raises(InputError, match=found) as caught:
        read_distribution(text, "--parameter k")
    assert caught.value.faults[0].place == "--parameter k"
