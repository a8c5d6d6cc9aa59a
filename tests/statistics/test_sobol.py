"""Sobol indices beside functions whose indices are known in closed form."""

import math

import numpy as np
import pytest

from graftline.base.errors import InputError
from graftline.statistics import sobol_design, sobol_indices


def ishigami(points):
    """sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1, each x uniform on (-pi, pi) (Ishigami & Homma 1990)."""
    x = math.pi * (2 * points - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def ishigami_indices():
    """First-order and total indices, by integration."""
    a, b, pi = 7, 0.1, math.pi
    first = 0.5 * (1 + b * pi**4 / 5) ** 2, a**2 / 8, 0.0
    interaction = b**2 * pi**8 * (1 / 18 - 1 / 50)
    variance = sum(first) + interaction
    total = first[0] + interaction, first[1], interaction
    return np.array(first) / variance, np.array(total) / variance


def test_our_closed_form_of_ishigami_gives_the_numbers_known_for_it():
    """a = 7, b = 0.1, to six digits."""
    first, total = ishigami_indices()
    assert np.allclose(first, [0.313905, 0.442411, 0], atol=1e-6)
    assert np.allclose(total, [0.557589, 0.442411, 0.243684], atol=1e-6)


WEIGHTS = np.array([0.0, 1.0, 4.5, 9.0])


def g_function(points):
    """Product of (|4x - 2| + a) / (1 + a) (Saltelli & Sobol 1995)."""
    return np.prod((np.abs(4 * points - 2) + WEIGHTS) / (1 + WEIGHTS), axis=1)


def g_indices():
    own = 1 / (3 * (1 + WEIGHTS) ** 2)
    variance = np.prod(1 + own) - 1
    return own / variance, own * np.prod(1 + own) / (1 + own) / variance


def inside(truth, interval):
    low, high = interval
    return np.all((low <= truth) & (truth <= high))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    ("function", "indices", "names"), [(ishigami, ishigami_indices, "abc"), (g_function, g_indices, "abcd")]
)
def test_the_closed_form_lies_inside_the_intervals(function, indices, names, seed):
    design = sobol_design(tuple(names), 1024, seed)
    found = sobol_indices(design, function(design.points), seed=seed, level=0.99)
    first, total = indices()
    assert inside(first, found.first_interval)
    assert inside(total, found.total_interval)
    assert found.widest < 0.25
    assert (found.used, found.left_out) == (1024, 0)


def test_more_samples_narrow_the_intervals():
    widths = []
    for samples in (256, 4096):
        design = sobol_design(("a", "b", "c"), samples, 1)
        widths.append(sobol_indices(design, ishigami(design.points), seed=1).widest)
    assert widths[1] < widths[0] / 2  # by a quarter, if blocks were independent


def test_a_group_has_the_index_of_its_members_together():
    design = sobol_design(("a", "b", "c"), 2048, 3, {"ac": ("a", "c")})
    assert design.factors == ("ac", "b")
    assert len(design) == 2048 * 4
    found = sobol_indices(design, ishigami(design.points), seed=3, level=0.99)
    _, total = ishigami_indices()
    assert inside(np.array([1 - total[1], total[1]]), found.first_interval)  # b acts alone: first and total agree
    assert inside(np.array([1 - total[1], total[1]]), found.total_interval)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others():
    first, again, other = (sobol_design(("a", "b", "c"), 64, seed) for seed in (0, 0, 1))
    assert np.array_equal(first.points, again.points)
    assert not np.array_equal(first.points, other.points)
    values = ishigami(first.points)
    assert np.array_equal(
        sobol_indices(first, values, seed=0).first_interval, sobol_indices(again, values, seed=0).first_interval
    )


def test_blocks_with_a_failed_row_are_left_out_whole_and_counted():
    design = sobol_design(("a", "b", "c"), 1024, 1)
    values = ishigami(design.points)
    values[[7, 8, 500]] = np.nan  # rows 7 and 8 lie in one block of five
    values[-1] = np.inf
    found = sobol_indices(design, values, seed=1, level=0.99)
    assert (found.used, found.left_out) == (1021, 3)
    assert inside(ishigami_indices()[1], found.total_interval)


def test_a_result_that_does_not_vary_or_is_never_solved_has_no_indices():
    design = sobol_design(("a", "b"), 16, 1)
    for values in (np.ones(len(design)), np.full(len(design), np.nan)):
        found = sobol_indices(design, values, seed=1)
        assert np.isnan(found.first).all()
        assert np.isnan(found.widest)


def test_one_input_explains_all():
    design = sobol_design(("a",), 256, 1)
    found = sobol_indices(design, design.points[:, 0], seed=1, level=0.99)
    assert inside(np.ones(1), found.total_interval)


def test_bad_input_is_told_by_name_all_at_once():
    with pytest.raises(InputError) as caught:
        sobol_design(("a", "b", "a"), 100, -1, {"b": ("a",), "g": ("z", "a")})
    assert [fault.place for fault in caught.value.faults] == [
        "samples", "seed", "input a", "group b", "group g", "group g",
    ]  # fmt: skip
    with pytest.raises(InputError, match="all inputs are in one"):
        sobol_design(("a", "b"), 16, 1, {"g": ("a", "b")})
    with pytest.raises(InputError, match="inputs: there are none"):
        sobol_design((), 16, 1)
