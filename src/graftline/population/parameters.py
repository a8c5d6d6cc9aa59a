"""Which evidence cards the virtual patients need, the shape of each distribution, and how variables go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..base.errors import Fault, InputError
from ..evidence import Card, all_cards, card
from ..evidence.cards import Value
from ..records.baseline import Numbers, Words

NORMAL = ("age", "albumin", "prothrombin", "haemoglobin")
"""Drawn as normal, from median and quartiles."""

LOG_NORMAL = (
    "largest_lesion",
    "bilirubin",
    "lymphocytes",
    "neutrophils",
    "platelets",
    "creatinine",
    "alt",
    "ast",
    "crp",
    "body_mass_index",
    "life_expectancy",
)
"""Drawn as log-normal, from median and quartiles or log-standard deviation."""

OTHERS = (
    "height",
    "afp_serum",
    "afp_tumour_ihc",
    "afp_nontumour_ihc",
    "ecog",
    "ascites",
    "encephalopathy",
    "macrovascular_invasion",
    "extrahepatic_spread",
)
"""Drawn from the same copula, each with a distribution of its own in `simulate`."""

CORRELATED = NORMAL + LOG_NORMAL + OTHERS
"""The variables of the Gaussian copula, in the order of the correlation matrix."""

HLA_A_ALLELES = ("A*02:01", "A*02:02", "A*02:03", "A*02:05", "A*02:06", "A*02:07", "other")
HLA_A0201P = ("A*02:01",)
HLA_A0205P = ("A*02:05",)
HLA_COUNTRIES = ("FR", "GB", "ES", "US")
SYSTEMIC_ROUTES = ("progressed", "intolerant", "refuses", "on_therapy")

_CORRELATION = "correlation_"
_BETWEEN = "__"

CARDS = (
    *(f"baseline_{name}" for name in NORMAL + LOG_NORMAL),
    "baseline_height_male",
    "baseline_height_female",
    "baseline_male_share",
    "baseline_aetiology_shares",
    "baseline_ecog_shares",
    "baseline_ascites_shares",
    "baseline_encephalopathy_shares",
    "baseline_inr_exponent",
    "baseline_macrovascular_invasion_share",
    "baseline_extrahepatic_spread_share",
    "baseline_lesion_count_probabilities",
    "baseline_other_lesion_volume",
    "baseline_tumour_volume_limit",
    "baseline_afp_high_share",
    "baseline_afp_high_level",
    "baseline_afp_secretor_share",
    "baseline_afp_secretor_log_sd",
    "baseline_afp_nonsecretor",
    "baseline_afp_range",
    "baseline_afp_ihc_positive_share",
    "baseline_afp_ihc_positive_level",
    "baseline_afp_ihc_logit_sd",
    "baseline_afp_nontumour_high_share",
    "baseline_afp_nontumour_high_level",
    "baseline_afp_nontumour_logit_sd",
    "baseline_systemic_route_shares",
    "baseline_extra_lines_probabilities",
    "normal_upper_quartile",
    *(f"hla_a0201_frequency_{country}" for country in (*HLA_COUNTRIES, "other")),
    "hla_a02_minor_frequencies",
)
"""The cards behind a baseline, besides one per correlated pair and the definitions of the scores."""


@dataclass(frozen=True, kw_only=True)
class PopulationPlan:
    """Whom to draw: the country of each patient, and numbers to use in place of those on the cards.

    `country` is (patients,), codes FR, GB, ES, US; any other code draws HLA as `hla_a0201_frequency_other`.
    `overrides` maps a card's name to another value in the card's unit (scenarios, sensitivity); unknown names raise
    InputError.
    """

    country: Words
    overrides: Mapping[str, Value] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.country)


def population_cards(overrides: Mapping[str, Value] | None = None) -> Mapping[str, Card]:
    """Every card a baseline is drawn from, correlations included, by name; with other values where asked."""
    names = (*CARDS, *(name for name in all_cards() if name.startswith(_CORRELATION)))
    cards = {name: card(name) for name in names}
    unknown = [name for name in overrides or {} if name not in cards]
    if unknown:
        raise InputError(
            Fault(f"population override {name}", "no baseline is drawn from such a card", "see population_cards()")
            for name in unknown
        )
    for name, value in (overrides or {}).items():
        cards[name] = Card.model_validate({**cards[name].model_dump(), "value": value})
    return MappingProxyType(cards)


def correlation_matrix(cards: Mapping[str, Card]) -> Numbers:
    """Correlations of the normal scores, shape (CORRELATED, CORRELATED), from the cards `correlation_ONE__OTHER`.

    Raises InputError for pairs of unknown variables and for a matrix that is not positive definite.
    """
    matrix = np.eye(len(CORRELATED))
    faults = []
    for name, one_card in cards.items():
        if not name.startswith(_CORRELATION):
            continue
        pair = name.removeprefix(_CORRELATION).split(_BETWEEN)
        if len(set(pair)) != 2 or not set(pair) <= set(CORRELATED):
            faults.append(Fault(f"card {name}", f"{pair} is no pair of baseline variables", "see CORRELATED"))
            continue
        row, column = (CORRELATED.index(variable) for variable in pair)
        matrix[row, column] = matrix[column, row] = one_card.number
    if faults:
        raise InputError(faults)
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest <= 0:
        raise InputError(
            Fault(
                "correlation cards",
                f"no patients can go together like this (smallest eigenvalue {smallest:.3g}, must be above 0)",
                "bring the correlations nearer to 0",
            )
        )
    return matrix


def correlation_factor(cards: Mapping[str, Card]) -> Numbers:
    """Lower-triangular factor of the correlation matrix, which turns independent scores into correlated ones."""
    return np.asarray(np.linalg.cholesky(correlation_matrix(cards)), dtype=np.float64)


def hla_frequencies(country: Words, cards: Mapping[str, Card]) -> NDArray[np.float64]:
    """Allele frequencies of HLA_A_ALLELES for each patient, shape (patients, alleles)."""
    by_country = {code: cards[f"hla_a0201_frequency_{code}"].number for code in HLA_COUNTRIES}
    main = np.full(len(country), cards["hla_a0201_frequency_other"].number)
    for code, frequency in by_country.items():
        main[country == code] = frequency
    minor = np.broadcast_to(cards["hla_a02_minor_frequencies"].numbers, (len(country), len(HLA_A_ALLELES) - 2))
    rest = 1 - main - minor.sum(axis=1)
    return np.column_stack([main, minor, rest])


def shares(cards: Mapping[str, Card], name: str) -> Numbers:
    """Probabilities of categories from a card, scaled to sum 1."""
    values = np.asarray(cards[name].numbers)
    return np.asarray(values / values.sum(), dtype=np.float64)
