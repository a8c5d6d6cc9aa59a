"""Maximum likelihood: known answers, people as clusters, and what is no maximum."""

import numpy as np
import pytest

from graftline.statistics import NoMaximumError, maximise


def normal(data, person=None):
    people = np.arange(len(data)) if person is None else person

    def contributions(values):
        z = (data - values["mean"]) / np.exp(values["ln_sd"])
        return np.bincount(people, weights=-(z**2) / 2 - values["ln_sd"] - np.log(2 * np.pi) / 2)

    return contributions


def test_a_normal_sample_gives_its_closed_form_answers():
    data = np.random.default_rng(1).normal(2.0, 3.0, 500)
    fit = maximise(normal(data), {"mean": 0.0, "ln_sd": 0.0})
    assert fit["mean"] == pytest.approx(data.mean(), abs=1e-4)
    assert np.exp(fit["ln_sd"]) == pytest.approx(data.std(), rel=1e-4)
    assert fit.log_likelihood == pytest.approx(
        float(normal(data)({"mean": data.mean(), "ln_sd": np.log(data.std())}).sum())
    )
    assert np.sqrt(fit.model_covariance[0, 0]) == pytest.approx(data.std() / np.sqrt(500), rel=1e-3)
    assert fit.standard_error("mean") == pytest.approx(data.std(ddof=1) / np.sqrt(500), rel=1e-3)
    low, high = fit.interval("mean")
    assert (low + high) / 2 == pytest.approx(fit["mean"]) and high - low == pytest.approx(
        2 * 1.959964 * fit.standard_error("mean")
    )


def test_copies_of_a_person_do_not_make_the_estimate_surer():
    data = np.random.default_rng(2).normal(0.0, 1.0, 200)
    once = maximise(normal(data), {"mean": 0.0, "ln_sd": 0.0})
    copied = maximise(normal(np.repeat(data, 5), np.repeat(np.arange(200), 5)), {"mean": 0.0, "ln_sd": 0.0})
    assert copied.standard_error("mean") == pytest.approx(once.standard_error("mean"), rel=1e-3)
    assert np.sqrt(copied.model_covariance[0, 0]) == pytest.approx(once.standard_error("mean") / np.sqrt(5), rel=0.01)


def test_the_interval_of_what_follows_from_parameters_is_by_the_delta_method():
    fit = maximise(normal(np.random.default_rng(3).normal(1.0, 2.0, 300)), {"mean": 0.0, "ln_sd": 0.0})
    low, high = fit.interval_of(lambda values: 2 * values["mean"] + 7)
    expected = tuple(2 * end + 7 for end in fit.interval("mean"))
    assert (low, high) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "contributions",
    [
        lambda values: np.full(10, values["mean"] + 0 * values["ln_sd"]),  # rises for ever
        lambda values: -((np.arange(10) - values["mean"] - values["ln_sd"]) ** 2),  # only the sum is told
    ],
)
def test_no_maximum_is_an_error_and_no_number(contributions):
    with pytest.raises(NoMaximumError, match="maximum"):
        maximise(contributions, {"mean": 0.0, "ln_sd": 0.0})
