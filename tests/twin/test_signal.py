"""The signal of one T cell: proofreading in its two forms, check K10, and what the protocol says of the receptor."""

import numpy as np
import pytest
from house_patients import keys_of, make_baseline
from scipy.optimize import minimize_scalar

from graftline.base.streams import Streams
from graftline.evidence import card
from graftline.protocol.schema import Receptor
from graftline.twin import Potency, limited_signal, proofreading_survival, relative_strength
from graftline.twin.signal import bound_ligands
from graftline.twin.simulate import draw_latents

ONE = np.ones(1)


def test_the_survival_of_proofreading_is_the_published_one():
    """Receptor notes: 0.77, 0.48, 0.15 and 0.02 at 0.1, 0.3, 1 and 3 per second."""
    assert np.allclose(proofreading_survival([0.0, 0.1, 0.3, 1.0, 3.0]), [1, 0.77, 0.48, 0.15, 0.02], atol=0.006)


def optimum(ligands):
    """Dissociation rate of the strongest limited signal, and that signal per ligand."""
    found = minimize_scalar(
        lambda log_off: -float(limited_signal(ligands, np.exp(log_off))), bounds=(-7, 2), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    return np.exp(found.x), -found.fun / ligands


def test_k10_in_ligand_excess_the_best_dissociation_rate_is_the_closed_form():
    steps, stop, step = (card(f"twin_limited_{name}").number for name in ("steps", "stop_rate", "step_rate"))
    closed = (-(steps - 1) * stop + np.sqrt(((steps - 1) * stop) ** 2 + 4 * steps * stop * step)) / (2 * steps)
    assert closed == pytest.approx(0.06265, abs=5e-6)
    assert optimum(1e12)[0] == pytest.approx(closed, rel=1e-5)


def test_k10_with_few_ligands_firmer_binding_is_best_and_a_ligand_gives_a_fifth_of_a_signal():
    rate, per_ligand = optimum(1e-3)
    assert rate == pytest.approx(0.0550, abs=5e-5)
    assert per_ligand == pytest.approx(0.200, abs=5e-4)


def test_binding_solves_the_quadratic_and_keeps_its_limits():
    ligands, receptors, dissociation = np.array([1e-3, 10.0, 1e4, 1e9]), 15_708.0, 3000.0
    bound = bound_ligands(ligands, receptors, dissociation)
    assert np.allclose((ligands - bound) * (receptors - bound), dissociation * bound, rtol=1e-6)
    assert bound[0] == pytest.approx(1e-3 * receptors / (receptors + dissociation), rel=1e-6)
    assert bound[-1] == pytest.approx(receptors, rel=1e-3)


def test_the_reference_receptor_on_one_allele_has_strength_one_in_both_forms():
    for form in ("monotone", "limited"):
        assert relative_strength(Potency(form=form), ONE)[0] == pytest.approx(1, rel=1e-14)
        assert relative_strength(Potency(form=form), np.zeros(1))[0] == 0


def test_the_strength_goes_with_potency_density_and_alleles():
    alleles, ten = np.array([0.0, 1.0, 2.0]), Potency(ec50=10.0)
    assert np.allclose(relative_strength(ten, alleles), alleles / 10)
    assert np.allclose(relative_strength(ten, ONE, density=3.0), 0.3)
    slow, fast = (relative_strength(Potency(dissociation_rate=rate), ONE)[0] for rate in (0.03, 1.0))
    reference = card("twin_reference_dissociation_rate").number
    assert slow == pytest.approx(proofreading_survival(0.03) / proofreading_survival(reference))
    assert slow > 1 > fast


def test_too_firm_a_binding_loses_signal_in_the_limited_form_only():
    rates = (0.2, 0.055, 0.003)
    limited = [relative_strength(Potency(form="limited", dissociation_rate=rate), ONE)[0] for rate in rates]
    monotone = [relative_strength(Potency(dissociation_rate=rate), ONE)[0] for rate in rates]
    assert limited[0] < limited[1] > limited[2]
    assert monotone[0] < monotone[1] < monotone[2]


def test_two_alleles_give_less_than_twice_the_limited_signal_once_receptors_are_short():
    double = np.array([2.0])
    few = relative_strength(Potency(form="limited"), double)[0]
    many = (
        relative_strength(Potency(form="limited"), double, density=1e4)[0]
        / relative_strength(Potency(form="limited"), ONE, density=1e4)[0]
    )
    assert few == pytest.approx(2, rel=1e-3)
    assert many < 1.1


@pytest.mark.parametrize(
    "impossible",
    [{"ec50": 1.0, "dissociation_rate": 0.1}, {"form": "limited", "ec50": 1.0}, {"form": "hill"}],
)
def test_potency_counts_once(impossible):
    with pytest.raises(AssertionError):
        Potency(**impossible)


def receptor(**potency):
    named = {"name": "x", "target": "AFP", "peptide": "FMNKFIYEI", "presented_by": "HLA-A*02"}
    return Receptor.model_validate(named | ({"potency": potency} if potency else {}))


def test_the_protocol_says_which_receptor():
    assert Potency.of(receptor()) == Potency()
    assert Potency.of(receptor(ec50="5 ug/mL")).ec50 == pytest.approx(5000)
    known = Potency.of(receptor(form="limited", dissociation_rate="6 1/minute"))
    assert (known.form, known.dissociation_rate) == ("limited", pytest.approx(0.1))


def test_a_patients_strength_is_the_draw_times_receptor_and_alleles():
    baseline, streams = make_baseline(3, hla_a0201p_alleles=np.array([0.0, 1.0, 2.0])), Streams(5)
    base = draw_latents(baseline, keys_of(3), streams)
    weaker = draw_latents(baseline, keys_of(3), streams, Potency(ec50=4.0))
    assert np.allclose(weaker.parameters["s"] * 4, base.parameters["s"])
    for symbol, values in base.parameters.items():
        if symbol != "s":
            assert np.array_equal(values, weaker.parameters[symbol]), symbol
