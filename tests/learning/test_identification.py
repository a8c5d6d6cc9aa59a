"""What measurements tell: closed forms on small models, and the ridge of the twin."""

import numpy as np
import pytest

from graftline import engine
from graftline.base.errors import InputError
from graftline.learning import (
    EFFECTIVE_KILL,
    FreeParameter,
    Measurement,
    experiment_for,
    identify,
    measured_twin,
    read_schedule,
    reference_schedule,
    twin_experiment,
    usual_measurements,
)
from graftline.learning._treated import treated
from graftline.twin import measured_request, run_courses
from graftline.twin.quantiles import latents_at

TIMES = (0.0, 1.0, 2.0, 4.0)
DECAY = "a = 3; b = 2; k = 0.5; f = 0.2; x' = -k * x; x = a * b; seen := x * f"


def request():
    return engine.Request(
        times=np.zeros(1), outputs=("x",), start=np.zeros(1), relative_tolerance=1e-9, absolute_tolerance=1e-12
    )


def experiment(names, *measurements, **more):
    model = engine.load_antimony(DECAY)
    free = [FreeParameter(name=name, value=model.own_values[name], **more.get(name, {})) for name in names]
    return experiment_for(model, request(), free, measurements or [Measurement(output="x", times=TIMES, sd=0.2)])


def test_the_information_of_a_decay_is_the_closed_form():
    found = identify(experiment(("a", "k")))
    times, k = np.array(TIMES), 0.5
    expected = np.array([[4, -k * times.sum()], [-k * times.sum(), k**2 * np.sum(times**2)]]) / 0.2**2
    assert np.allclose(found.data.matrix, expected, rtol=1e-6)


def test_normal_errors_weigh_readings_by_their_own_unit():
    found = identify(experiment(("k",), Measurement(output="x", times=TIMES, sd=0.5, logarithmic=False)))
    times = np.array(TIMES)
    slope = -0.5 * times * 6 * np.exp(-0.5 * times)
    assert found.data.matrix[0, 0] == pytest.approx(np.sum(slope**2) / 0.25, rel=1e-6)


def test_a_share_is_estimated_on_the_logit_scale():
    found = identify(experiment(("f",), Measurement(output="seen", times=TIMES, sd=0.2), f={"scale": "logit"}))
    assert found.data.matrix[0, 0] == pytest.approx(4 * (1 - 0.2) ** 2 / 0.2**2, rel=1e-6)


def test_errors_in_common_and_errors_that_wander_have_their_covariance():
    one = Measurement(output="x", times=(0.0, 10.0), sd=0.3, shared_sd=0.1, slow_sd=2.0, slow_time=5.0)
    near = 0.1**2 + 4 * np.exp(-2)
    assert np.allclose(one.covariance, [[0.09 + 0.01 + 4, near], [near, 0.09 + 0.01 + 4]])


def test_a_product_is_known_where_its_factors_are_open():
    names = ("a", "b", "k")
    found = identify(experiment(names, a={"prior_sd": 1.0}, b={"prior_sd": 1.0}))
    ridge = found.ridge(("a", "b"))
    assert ridge.alone == (np.inf, np.inf)
    assert ridge.best == pytest.approx({"a": 1.0, "b": 1.0})
    assert ridge.product == pytest.approx(ridge.best_error)
    assert ridge.product < 0.3
    assert found.correlations[0, 1] == pytest.approx(-1, abs=0.01)
    assert ridge.best_error_prior == pytest.approx(np.sqrt(2))
    assert found.combinations()["error"][2] > 1e3


def test_the_profile_of_a_factor_is_flat_without_priors_and_as_wide_as_the_prior_with_them():
    asked = experiment(("a", "b", "k"), a={"prior_sd": 0.5}, b={"prior_sd": 0.5})
    found = identify(asked, profiled=("a", "a*b", "k"), seed=3)
    flat, product, rate = found.profiles
    assert np.all(flat.misfit < 1e-2)
    assert flat.interval() == (-np.inf, np.inf)
    assert np.all(np.isfinite(product.interval()))
    error = found.data.standard_errors[2]
    low, high = rate.interval()
    assert rate.best - 4 * error < low < rate.best < high < rate.best + 4 * error
    low, high = found.profiles_with_prior[0].interval()
    assert high - low == pytest.approx(2 * 1.959964 * 0.5 / np.sqrt(2), rel=0.1)


def test_threads_do_not_matter_and_the_seed_draws_other_readings():
    asked = experiment(("a", "k"))
    one, two, other = (
        identify(asked, profiled=("k",), seed=seed, threads=threads) for seed, threads in ((1, 1), (1, 2), (2, 1))
    )
    assert np.array_equal(one.profiles[0].misfit, two.profiles[0].misfit)
    assert one.profiles[0].best != other.profiles[0].best


def test_readings_beyond_a_limit_are_left_out_and_counted():
    found = experiment(("k",), Measurement(output="x", times=(0.0, 1.0, 9.0), sd=0.2, lower_limit=1.0))
    assert found.measurements[0].times == (0.0, 1.0)
    assert found.left_out == {"x": 1}
    with pytest.raises(InputError, match="none lies within its limits"):
        experiment(("k",), Measurement(output="x", times=(9.0,), sd=0.2, lower_limit=1.0))


def test_bad_input_is_told_by_name():
    model = engine.load_antimony("k = 0; x' = -k * x; x = 1")
    free = [FreeParameter(name=name, value=value) for name, value in (("z", 1.0), ("k", 0.0), ("k", 1.0))]
    wrong = [Measurement(output="y", times=(1.0,), sd=1.0), Measurement(output="x", times=(-1.0,), sd=1.0)]
    with pytest.raises(InputError) as caught:
        experiment_for(model, request(), free, wrong)
    places = [fault.place for fault in caught.value.faults]
    assert places == ["parameter z", "parameter k", "parameter k", "measurement y", "measurement x"]
    for text, found in (("q", "is none of the estimated"), ("a**k", "is no parameter")):
        with pytest.raises(InputError, match=found):
            identify(experiment(("a", "k")), profiled=(text,))


YAML = """
measurements:
  - {output: afp, times: [0, 28]}
  - {output: x, times: [1, 2.5], log_sd: 0.2, lower_limit: 3}
  - {output: y, times: [4], sd: 2, slow_sd: 1, slow_time: 9}
"""


def test_a_schedule_file_takes_usual_errors_or_its_own(tmp_path):
    path = tmp_path / "visits.yaml"
    path.write_text(YAML)
    usual = usual_measurements()
    afp, x, y = read_schedule(path, ("x", "y"), usual)
    assert (afp.output, afp.sd, afp.slow_sd, afp.times) == ("P", usual["afp"].sd, usual["afp"].slow_sd, (0.0, 28.0))
    assert (x.sd, x.logarithmic, x.lower_limit) == (0.2, True, 3.0)
    assert (y.sd, y.logarithmic, y.slow_time) == (2.0, False, 9.0)
    table = tmp_path / "visits.csv"
    table.write_text("output,time,log_sd\nx,2,0.3\nafp,7,\nx,1,0.3\n")
    x, afp = read_schedule(table, ("x",), usual)
    assert (x.times, x.sd) == ((1.0, 2.0), 0.3)
    assert (afp.output, afp.times) == ("P", (7.0,))


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("a.yaml", "measurements: 3", "a.yaml"),
        ("a.yaml", "measurements: []", "a.yaml"),
        ("a.yaml", "measurements: [{output: z, times: [1], sd: 1}]", r"a.yaml measurements\[0\] output"),
        ("a.yaml", "measurements: [{output: x, times: 1, sd: 1}]", r"measurements\[0\] times"),
        ("a.yaml", "measurements: [{output: x, times: [1], sd: 0}]", r"measurements\[0\] sd"),
        ("a.yaml", "measurements: [{output: x, times: [1], sd: 1, log_sd: 1}]", "needs one error"),
        ("a.yaml", "measurements: [{output: x, times: [1]}]", "needs one error"),
        ("a.yaml", "measurements: [{output: x, times: [1], sd: 1, when: 3}]", r"measurements\[0\] when"),
        ("a.yaml", "measurements: [{output: x, times: [1], sd: 1, slow_sd: 1}]", "slow_time"),
        ("a.yaml", "a: [", "is no YAML"),
        ("a.csv", "output,day\nx,1\n", "no column time"),
        ("a.csv", "output,time,sd\nx,soon,1\n", "a.csv:2"),
        ("a.csv", "output,time,sd\n", "has no measurements"),
        ("a.txt", "x", "is no schedule"),
    ],
)
def test_faults_of_a_schedule_name_their_place(tmp_path, name, text, place):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=place):
        read_schedule(path, ("x",), {})


def test_a_schedule_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_schedule(tmp_path / "absent.yaml", ("x",), {})


def test_the_measurements_in_the_model_text_are_those_of_the_courses():
    latents = latents_at(2, {"s": np.array([0.5, 0.9]), "kap": np.array([0.5, 0.8])})
    asked = treated(latents)
    times = np.array([-7.0, 1.0, 7.0, 28.0, 168.0])
    courses = run_courses(asked, times)
    found = engine.solve(measured_twin(), measured_request(asked, times, ("copies", "alc", "P", "diameter", "tcrt_uL")))
    for output, truth in (
        ("copies", courses.copies_per_ug),
        ("alc", courses.lymphocytes),
        ("P", courses.afp),
        ("tcrt_uL", courses.tcrt_per_microlitre),
        ("diameter", 10 * np.cbrt(6 * courses.scan_volume / np.pi)),
    ):
        assert np.allclose(found[output], truth, rtol=1e-5, atol=1e-9), output


def test_the_reference_schedule_is_the_protocols_with_the_cards_errors():
    afp, scans, transgene = reference_schedule()
    assert afp.times == (-7, 7, 14, 28, 56, 84, 112, 168)
    assert scans.times == (-7, 28, 56, 84, 112, 168)
    assert transgene.sd == 0.56
    assert np.sqrt(afp.sd**2 + afp.slow_sd**2) == pytest.approx(1.07, abs=0.01)
    assert np.hypot(scans.sd, scans.shared_sd) == pytest.approx(0.1, abs=0.001)


@pytest.fixture(scope="module", params=[1.0, 3.0])
def acting(request):
    """Patients whose cells act: signal one half and three quarters of the greatest."""
    return identify(twin_experiment(changed={"s": request.param}))


def test_only_a_product_of_homing_signal_kill_and_growth_is_known_and_none_alone(acting):
    """The ridge: all four raise the product, which is known ten times better than any of them."""
    ridge = acting.ridge(EFFECTIVE_KILL)
    assert all(power > 0.1 for power in ridge.best.values())
    assert 10 * ridge.best_error < min(ridge.alone)
    assert min(ridge.alone) > np.log(100)  # alone, not even its order of magnitude


def test_priors_narrow_the_product_and_leave_each_alone_as_wide_as_it_was(acting):
    ridge = acting.ridge(EFFECTIVE_KILL)
    narrowed = 1 - ridge.best_error_both / ridge.best_error_prior
    table = acting.table()
    alone = table.filter(table["parameter"].is_in(EFFECTIVE_KILL))["narrowed"]
    assert narrowed > alone.max()


def test_in_the_typical_patient_the_cells_act_too_little_for_the_kill_to_be_seen():
    found = identify(twin_experiment())
    ridge = found.ridge(EFFECTIVE_KILL)
    assert ridge.best_error > 1
    growth = found.table().filter(found.table()["parameter"] == "lam0")
    assert growth["narrowed"].item() > 0.5  # growth is seen all the better


def test_what_the_twin_does_not_have_cannot_be_estimated():
    with pytest.raises(InputError, match="parameter zz: is none of the twin's"):
        twin_experiment(("s", "zz"))


@pytest.mark.long
def test_profiles_of_the_twin_confirm_the_ridge():
    """Far from the typical patient too: without priors kap is open, with them it is as wide as its prior."""
    found = identify(twin_experiment(changed={"s": 3.0}), profiled=("kap", "mT^0.3*s^0.25*kap^0.35*rho"), seed=1)
    alone, product = found.profiles_with_prior
    prior = dict(zip(found.experiment.names, found.experiment.prior_sd, strict=True))
    powers = {"mT": 0.3, "s": 0.25, "kap": 0.35, "rho": 1.0}
    product_prior = np.sqrt(sum((power * prior[name]) ** 2 for name, power in powers.items()))
    share_alone = np.subtract(*alone.interval()[::-1]) / (2 * 1.96 * prior["kap"])
    share_product = np.subtract(*product.interval()[::-1]) / (2 * 1.96 * product_prior)
    assert found.profiles[0].interval() == (-np.inf, np.inf)
    assert share_alone > 0.7
    assert share_product < 0.6
