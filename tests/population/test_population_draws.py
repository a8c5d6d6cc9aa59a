"""Virtual patients: marginals and joint structure against the evidence, and whose draws never move."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from graftline.base.errors import InputError
from graftline.base.streams import Keys, Streams, site_key
from graftline.evidence import SpreadKind, card
from graftline.population import PopulationPlan, correlation_matrix, population_cards
from graftline.population.parameters import CARDS, CORRELATED
from graftline.population.simulate import draw_baseline
from graftline.records.variables import VARIABLES, VariableKind

PATIENTS = 50_000
COUNTRIES = np.array(["FR", "GB", "ES", "US", "DE"])
QUARTILE_SCORE = 0.6745
MEDIAN_FACTOR = 1.2533  # standard error of a median over that of a mean, normal data
Z99 = 2.576


def drawn(patients=PATIENTS, seed=7, site="FR-REN", **overrides):
    keys = Keys.of(0, site_key(site), np.arange(patients))
    country = np.resize(COUNTRIES, patients)
    return draw_baseline(PopulationPlan(country=country, overrides=overrides), keys, Streams(seed))


@pytest.fixture(scope="module")
def population():
    return drawn()


def wilson(share, n, z=Z99):
    middle, half = share + z**2 / (2 * n), z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


def assert_share(flags, name):
    """Within the 99 % Wilson interval that the card's own number of patients leaves."""
    low, high = wilson(card(name).number, card(name).n)
    assert low <= np.mean(flags) <= high, f"{name}: {np.mean(flags):.3f}, published {card(name).number}"


NORMAL = ["age", "albumin", "haemoglobin"]
LOG_NORMAL = ["bilirubin", "lymphocytes", "neutrophils", "platelets", "creatinine", "alt", "ast", "crp"]


@pytest.mark.parametrize("name", NORMAL + LOG_NORMAL)
def test_medians_and_quartiles_agree_with_the_second_line_series(population, name):
    evidence = card(f"baseline_{name}")
    assert evidence.spread.kind is SpreadKind.IQR
    change = np.log if name in LOG_NORMAL else np.asarray
    low, median, high = change(np.array([evidence.spread.low, evidence.number, evidence.spread.high]))
    deviation = (high - low) / (2 * QUARTILE_SCORE)
    standard_error = MEDIAN_FACTOR * deviation / np.sqrt(evidence.n)
    sample = change(np.percentile(getattr(population, name), [25, 50, 75]))
    assert abs(sample[1] - median) < standard_error / 2, "the centre is drawn as published"
    assert abs((sample[2] - sample[0]) - (high - low)) < 2 * standard_error, "and so is the width"


def test_the_largest_lesion_has_the_published_quartiles_within_their_own_error(population):
    evidence = card("published_largest_lesion")
    published = np.log([evidence.spread.low, evidence.number, evidence.spread.high])
    deviation = (published[2] - published[0]) / (2 * QUARTILE_SCORE)
    quartile_error = 1.36 * deviation / np.sqrt(evidence.n)  # standard error of a quartile, normal data
    sample = np.log(np.percentile(population.largest_lesion, [25, 50, 75]))
    assert np.all(np.abs(sample - published) < 2 * quartile_error)


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("baseline_male_share", lambda p: p.sex == "male"),
        ("baseline_macrovascular_invasion_share", lambda p: p.macrovascular_invasion),
        ("baseline_extrahepatic_spread_share", lambda p: p.extrahepatic_spread),
        ("baseline_bclc_c_share", lambda p: p.bclc == "C"),
        ("baseline_child_pugh_a_share", lambda p: p.child_pugh <= 6),
        ("baseline_afp_high_share", lambda p: p.afp_serum >= 400),
    ],
)
def test_shares_agree_with_the_second_line_series(population, name, holds):
    assert_share(holds(population), name)


@pytest.mark.parametrize(
    ("values", "published"),
    [
        (lambda p: p.ecog, {0: 0.38, 1: 0.40, 2: 0.22}),
        (lambda p: p.lesion_count, {1: 0.47, 2: 0.23, 3: 0.15, 4: 0.10, 5: 0.05}),
        (
            lambda p: p.aetiology,
            {"alcohol": 0.3535, "viral": 0.303, "viral_and_alcohol": 0.0909, "nash": 0.1515, "other": 0.101},
        ),
    ],
)
def test_categories_have_the_published_shares(population, values, published):
    seen = values(population)
    assert set(np.unique(seen)) == set(published)
    for category, share in published.items():
        assert np.mean(seen == category) == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / PATIENTS))


def test_serum_afp_has_the_published_shares_above_every_cut_off(population):
    assert 0.50 <= np.mean(population.afp_serum >= 20) <= 0.70
    assert 0.377 <= np.mean(population.afp_serum >= 100) <= 0.60
    assert np.mean(population.afp_serum >= 400) == pytest.approx(0.48, abs=0.01)
    assert np.mean(population.afp_serum >= 121_000) < 0.05


def test_tumours_that_secrete_have_the_higher_afp(population):
    secretor, afp = population.afp_secretor, population.afp_serum
    assert np.mean(secretor) == pytest.approx(card("baseline_afp_secretor_share").number, abs=0.01)
    assert np.median(afp[secretor]) > 100 * np.median(afp[~secretor])
    assert np.mean(afp[~secretor] >= 400) < 0.001


def test_tumour_staining_reaches_20_percent_in_about_a_third_and_goes_with_serum(population):
    assert_share(population.afp_tumour_ihc >= 20, "baseline_afp_ihc_positive_share")
    assert 0.5 <= spearmanr(population.afp_serum, population.afp_tumour_ihc).statistic <= 0.8


def test_afp_and_the_largest_lesion_have_the_published_rank_correlation(population):
    assert 0.26 <= spearmanr(population.afp_serum, population.largest_lesion).statistic <= 0.33


def test_high_afp_goes_with_metastasis(population):
    high = population.afp_serum >= 400
    assert np.mean(population.extrahepatic_spread[high]) > np.mean(population.extrahepatic_spread[~high]) + 0.1


def test_the_physician_gives_the_sicker_less_time(population):
    for value, sign in ((population.ecog, -1), (population.child_pugh, -1), (population.largest_lesion, -1)):
        assert sign * spearmanr(value, population.life_expectancy).statistic > 0.15


@pytest.mark.parametrize(
    ("country", "frequency"), [("FR", 0.29), ("GB", 0.29), ("ES", 0.22), ("US", 0.24), ("DE", 0.2584)]
)
def test_hla_carriers_of_a_country_follow_hardy_weinberg(population, country, frequency):
    here = np.resize(COUNTRIES, PATIENTS) == country
    carriers = 1 - (1 - frequency) ** 2
    alleles = population.hla_a0201p_alleles[here]
    error = 4 * np.sqrt(0.25 / here.sum())
    assert np.mean(alleles >= 1) == pytest.approx(carriers, abs=error)
    assert np.mean(alleles == 2) == pytest.approx(frequency**2, abs=error)
    assert np.array_equal((population.hla_a[here] == "A*02:01").sum(axis=1), alleles)
    assert np.array_equal((population.hla_a[here] == "A*02:05").any(axis=1), population.hla_excluded_allele[here])


def test_lesions_are_sorted_measurable_and_fit_into_a_liver(population):
    diameters = population.lesion_diameters
    assert diameters.shape == (PATIENTS, 5)
    assert not np.any(np.diff(diameters, axis=1) > 0)
    assert np.nanmin(diameters) >= 10 and np.nanmax(diameters) <= 142
    volume = np.nansum(diameters**3, axis=1) * np.pi / 6 / 1000
    assert volume.max() <= 1800 + 4 * 0.53  # further lesions are never smaller than 10 mm


def test_only_who_refuses_has_had_no_line(population):
    assert np.array_equal(population.prior_lines == 0, population.refuses_systemic)
    routes = (population.progressed_on_systemic, population.intolerant_of_systemic, population.refuses_systemic)
    assert np.all(np.sum(routes, axis=0) <= 1)
    assert abs(np.mean(np.sum(routes, axis=0) == 0) - 0.25) < 0.02  # still on therapy


def test_nobody_is_operable_by_definition_of_the_population(population):
    assert not population.resectable_or_transplantable.any()


def test_every_value_is_known_and_every_category_is_listed(population):
    for variable in VARIABLES.values():
        values = getattr(population, variable.name, None)
        if values is None:
            continue  # measured later, such as fever
        if variable.kind is VariableKind.CATEGORY:
            assert set(np.unique(values)) <= set(variable.categories)
        elif variable.kind is VariableKind.NUMBER:
            assert np.all(np.isfinite(values)), variable.name


def test_the_shipped_correlations_are_positive_definite_and_all_used():
    matrix = correlation_matrix(population_cards())
    assert np.array_equal(matrix, matrix.T) and np.all(np.diag(matrix) == 1)
    assert np.linalg.eigvalsh(matrix)[0] > 0.01
    pairs = [name for name in population_cards() if name.startswith("correlation_")]
    assert np.count_nonzero(np.triu(matrix, k=1)) == len(pairs)


def test_correlations_that_no_patients_can_have_are_refused():
    cards = population_cards({"correlation_alt__ast": 0.99, "correlation_ast__bilirubin": -0.99})
    impossible = dict(cards) | {
        "correlation_alt__bilirubin": cards["correlation_alt__ast"].model_copy(
            update={"name": "correlation_alt__bilirubin"}
        )
    }
    with pytest.raises(InputError, match="no patients can go together like this"):
        correlation_matrix(impossible)


def test_a_correlation_with_an_unknown_variable_is_refused():
    one = population_cards()["correlation_alt__ast"]
    with pytest.raises(InputError, match="is no pair of baseline variables"):
        correlation_matrix({"correlation_alt__zodiac": one})


def same_rows(one, other):
    return all(getattr(one, field.name).tobytes() == getattr(other, field.name).tobytes() for field in fields(one))


def test_the_same_seed_gives_the_same_bytes():
    assert same_rows(drawn(500), drawn(500))
    assert not same_rows(drawn(500), drawn(500, seed=8))


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, 299), min_size=1, max_size=12))
def test_adding_patients_never_changes_anybody_else(chosen):
    places = np.array(sorted(chosen))
    keys = Keys.of(3, site_key("GB-UCL"), places)
    alone = draw_baseline(PopulationPlan(country=np.resize(COUNTRIES, 300)[places]), keys, Streams(5))
    everyone = draw_baseline(
        PopulationPlan(country=np.resize(COUNTRIES, 300)), Keys.of(3, site_key("GB-UCL"), np.arange(300)), Streams(5)
    )
    assert same_rows(alone, everyone.take(places))


def test_adding_a_site_and_changing_the_order_of_sites_changes_nobody():
    sites = np.array([site_key("FR-REN"), site_key("US-MGH")]).repeat(100)
    kth, country = np.tile(np.arange(100), 2), np.array(["FR", "US"]).repeat(100)
    both = draw_baseline(PopulationPlan(country=country), Keys.of(0, sites, kth), Streams(5))
    turned = draw_baseline(PopulationPlan(country=country[::-1]), Keys.of(0, sites[::-1], kth[::-1]), Streams(5))
    rennes = draw_baseline(PopulationPlan(country=country[:100]), Keys.of(0, sites[:100], kth[:100]), Streams(5))
    assert same_rows(turned.take(np.arange(200)[::-1]), both)
    assert same_rows(both.take(np.arange(100)), rennes)


def test_an_override_moves_its_variable_and_leaves_the_others():
    before, after = drawn(2_000), drawn(2_000, baseline_afp_high_share=0.30)
    assert np.mean(after.afp_serum >= 400) == pytest.approx(0.30, abs=0.04)
    assert np.array_equal(before.largest_lesion, after.largest_lesion)
    assert np.all(after.afp_serum <= before.afp_serum)


def test_an_override_of_an_unknown_card_is_refused():
    with pytest.raises(InputError, match="no baseline is drawn from such a card"):
        drawn(10, baseline_zodiac=1.0)


def test_more_high_afp_than_secreting_tumours_is_refused():
    with pytest.raises(InputError, match="of tumours secrete"):
        drawn(10, baseline_afp_secretor_share=0.40)


def test_one_patient_and_none_at_all_can_be_drawn():
    assert len(drawn(1)) == 1
    assert len(drawn(0)) == 0


def test_every_correlated_variable_and_card_is_known():
    assert len(set(CORRELATED)) == len(CORRELATED)
    assert set(CARDS) <= set(population_cards())
