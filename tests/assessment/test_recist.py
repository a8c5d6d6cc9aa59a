"""RECIST 1.1 at one visit (Eisenhauer et al., Eur J Cancer 2009;45:228): the rules, their corners, and properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftline.assessment import (
    BaselineScan,
    NonTarget,
    Response,
    Scan,
    ScanSeries,
    choose_targets,
    may_serve_as_baseline,
    respond_at_visit,
    respond_at_visits,
    responses,
    target_responses,
)

CR, PR, SD, PD, NE, ND = Response.CR, Response.PR, Response.SD, Response.PD, Response.NE, Response.ND
NAN = float("nan")


def baseline(*diameters, nodes=None, non_target=False):
    nodes = nodes or (False,) * len(diameters)
    return BaselineScan(day=-8, diameters_mm=diameters, is_node=nodes, non_target_present=non_target)


def course(start, *sums_per_visit, **kind):
    """The response at the last visit, visits eight weeks apart; each visit is a tuple of diameters."""
    scans = [Scan(day=56 * (place + 1), diameters_mm=scan) for place, scan in enumerate(sums_per_visit)]
    return respond_at_visits(baseline(*start, **kind), scans)[-1].response


@pytest.mark.parametrize(
    ("start", "visits", "expected"),
    [
        ((100,), [(119,)], SD),
        ((100,), [(120,)], PD),  # exactly 20 %
        ((35,), [(42,)], PD),  # 20 % that has no exact binary form
        ((20,), [(24,)], SD),  # 20 % but only 4 mm
        ((25,), [(30,)], PD),  # 20 % and exactly 5 mm
        ((100,), [(71,)], SD),
        ((100,), [(70,)], PR),  # exactly 30 %
        ((100,), [(50,), (59,)], PR),  # above the nadir by 18 %, still partial from baseline
        ((100,), [(50,), (60,)], PD),  # 20 % over the nadir although 40 % below baseline
        ((100,), [(80,), (96,)], PD),  # nadir, not baseline
        ((100,), [(0,)], CR),
        ((100,), [(0,), (5,)], PD),  # back after all had gone
        ((100, 20), [(60, 0), (60, 3)], PR),  # one back while another never went is only part of the sum
    ],
)
def test_target_lesions_are_judged_against_baseline_for_response_and_nadir_for_progression(start, visits, expected):
    assert course(start, *visits) is expected


def test_a_node_below_ten_millimetres_is_normal_so_complete_response_needs_no_zero_sum():
    assert course((40, 20), (0, 9), nodes=(False, True)) is CR
    assert course((40, 20), (0, 10), nodes=(False, True)) is PR
    assert course((20,), (4,), (9,), nodes=(True,)) is CR  # normal nodes that grow by 5 mm stay normal


@pytest.mark.parametrize(
    ("seen", "expected"),
    [((30, NAN), NE), ((0, NAN), NE), ((125, NAN), PD), ((NAN, NAN), NE)],
)
def test_a_target_lesion_not_assessed_is_not_evaluable_unless_the_rest_is_progressive(seen, expected):
    assert course((60, 40), seen) is expected


def test_an_incomplete_scan_sets_no_nadir():
    assert course((60, 40), (30, NAN), (60, 40)) is SD


T, N = "target", NonTarget


@pytest.mark.parametrize(
    ("target", "other", "new", "expected"),
    [  # tables 1 and 2 of the guideline
        (0, N.CR, False, CR),
        (0, N.NONE, False, CR),
        (0, N.NON_CR_NON_PD, False, PR),
        (0, N.NE, False, PR),
        (60, N.NON_CR_NON_PD, False, PR),
        (60, N.NE, False, PR),
        (60, N.CR, False, PR),
        (100, N.NON_CR_NON_PD, False, SD),
        (100, N.NE, False, SD),
        (NAN, N.CR, False, NE),
        (NAN, N.NON_CR_NON_PD, False, NE),
        (150, N.CR, False, PD),
        (0, N.PD, False, PD),
        (NAN, N.PD, False, PD),
        (0, N.CR, True, PD),
        (NAN, N.NE, True, PD),
    ],
)
def test_overall_response_follows_the_table_of_the_guideline(target, other, new, expected):
    scan = Scan(day=56, diameters_mm=(target,), non_target=other, new_lesion=new)
    assert respond_at_visit(baseline(100), [], scan).response is expected


@pytest.mark.parametrize(
    ("other", "new", "expected"),
    [
        (N.CR, False, CR),
        (N.NON_CR_NON_PD, False, Response.NON_CR_NON_PD),
        (N.NE, False, NE),
        (N.PD, False, PD),
        (N.CR, True, PD),
    ],
)
def test_without_target_lesions_the_others_decide(other, new, expected):
    found = respond_at_visit(baseline(), [], Scan(day=56, diameters_mm=(), non_target=other, new_lesion=new))
    assert found.response is expected
    assert found.target is Response.MISSING


def test_the_order_in_which_scans_are_handed_in_is_irrelevant():
    scans = [Scan(day=day, diameters_mm=(size,)) for day, size in [(56, 50), (112, 60), (28, 90)]]
    found = respond_at_visits(baseline(100), scans)
    assert [(one.day, one.response) for one in found] == [(28, SD), (56, PR), (112, PD)]


def test_a_baseline_outside_the_guideline_is_named_with_all_reasons():
    many = BaselineScan(
        day=0,
        diameters_mm=(12, 9, 30, 20, 20, 14),
        is_node=(False,) * 5 + (True,),
        organs=("liver",) * 3 + ("lung",) * 3,
    )
    assert may_serve_as_baseline(many).reasons == (
        "a target lesion is too small",
        "more than five target lesions",
        "more than two target lesions in one organ",
    )
    good = BaselineScan(day=0, diameters_mm=(10, 15), is_node=(False, True), organs=("liver", "node"))
    assert may_serve_as_baseline(good).passed
    assert may_serve_as_baseline(baseline(20)).unknown  # organ not said


def test_targets_are_the_largest_measurable_and_two_per_organ():
    sizes = np.array([[30.0, 50.0, 9.0, 40.0, NAN], [12.0, 11.0, 10.0, 9.0, 8.0]])
    assert choose_targets(sizes, np.zeros((2, 5), dtype=np.int64)).tolist() == [
        [False, True, False, True, False],
        [True, True, False, False, False],
    ]
    spread = choose_targets(np.full((1, 8), 20.0), np.arange(8)[None, :])
    assert spread.sum() == 5


# ---- properties over many random patients
diameters = st.one_of(st.integers(5, 120).map(float), st.just(0.0), st.just(NAN))


@st.composite
def many(draw):
    patients, visits, lesions = draw(st.integers(1, 6)), draw(st.integers(1, 5)), draw(st.integers(1, 3))
    count = patients * visits
    start = draw(st.lists(st.integers(10, 120), min_size=patients * lesions, max_size=patients * lesions))
    later = draw(st.lists(diameters, min_size=count * lesions, max_size=count * lesions))
    other = draw(st.lists(st.sampled_from([N.NONE, N.CR, N.NON_CR_NON_PD, N.NE]), min_size=count, max_size=count))
    new = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    done = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    return ScanSeries(
        baseline_day=np.zeros(patients, dtype=np.int64),
        baseline=np.array(start, dtype=np.float64).reshape(patients, lesions),
        nodes=np.zeros((patients, lesions), dtype=np.bool_),
        days=np.tile(np.arange(1, visits + 1) * 56, (patients, 1)),
        diameters=np.array(later).reshape(patients, visits, lesions),
        non_target=np.array(other, dtype=np.int8).reshape(patients, visits),
        new_lesion=np.array(new).reshape(patients, visits),
        done=np.array(done).reshape(patients, visits),
    )


def changed(series, **parts):
    return ScanSeries(**{**vars(series), **parts})


@given(many())
def test_the_order_of_patients_is_irrelevant(series):
    back = {name: part[::-1] for name, part in vars(series).items()}
    assert np.array_equal(responses(ScanSeries(**back))[::-1], responses(series))


@given(many())
def test_a_missing_target_lesion_is_never_complete_partial_or_stable(series):
    missing = np.isnan(series.diameters).any(axis=-1) & series.done
    assert np.isin(target_responses(series)[missing], [PD, NE]).all()
    assert np.isin(responses(series)[missing], [PD, NE]).all()


@given(many())
def test_a_new_lesion_seen_is_progression_and_a_visit_not_done_is_nothing_else(series):
    found = responses(series)
    assert (found[series.done & series.new_lesion] == PD).all()
    assert (found[~series.done] == ND).all()


@given(many(), st.floats(0.1, 1))
def test_a_smaller_sum_at_the_last_visit_is_never_a_worse_response(series, factor):
    smaller = series.diameters.copy()
    smaller[:, -1] *= factor
    before, after = responses(series)[:, -1], responses(changed(series, diameters=smaller))[:, -1]
    full = ~np.isnan(series.diameters[:, -1]).any(axis=-1)
    assert (after[full] <= before[full]).all()
    assert (before[~full][after[~full] == PD] == PD).all()  # not evaluable is neither better nor worse


@given(many())
def test_progression_of_the_targets_needs_five_millimetres_over_the_nadir_unless_all_had_gone(series):
    found = target_responses(series)
    seen = np.nansum(series.diameters, axis=-1)
    for patient, visit in zip(*np.nonzero(found == PD), strict=True):
        earlier = series.sums[patient, :visit]
        nadir = np.nanmin([series.baseline_sums[patient], *earlier])
        assert seen[patient, visit] - nadir >= 5


@given(many())
def test_one_patient_alone_is_judged_like_among_many(series):
    together = responses(series)
    for row in range(len(series)):
        alone = responses(ScanSeries(**{name: part[row : row + 1] for name, part in vars(series).items()}))
        assert np.array_equal(alone[0], together[row])


def test_the_best_change_is_the_deepest_fall_and_unknown_without_a_full_scan():
    start = np.array([[100.0], [100.0], [100.0]])
    later = np.array([[[80.0], [60.0], [90.0]], [[120.0], [110.0], [NAN]], [[NAN], [NAN], [NAN]]])
    series = ScanSeries(
        baseline_day=np.zeros(3, dtype=np.int64),
        baseline=start,
        nodes=np.zeros((3, 1), dtype=np.bool_),
        days=np.tile([28, 56, 84], (3, 1)),
        diameters=later,
        non_target=np.zeros((3, 3), dtype=np.int8),
        new_lesion=np.zeros((3, 3), dtype=np.bool_),
        done=np.ones((3, 3), dtype=np.bool_),
    )
    assert series.best_change == pytest.approx([-0.4, 0.1, NAN], nan_ok=True)
