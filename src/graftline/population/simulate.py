"""Draws virtual patients: a Gaussian copula over the baseline, HLA by country, scores by their definitions.

Every variable has its own stream, keyed by patient, and everything after it is elementwise, so one patient's row is
the same bytes whoever else is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from ..base.errors import Fault, InputError
from ..base.streams import Keys, Streams
from ..base.units import CM_PER_M, PERCENT, SPHERE_VOLUME_PER_CUBED_DIAMETER
from ..evidence import Card
from ..records import Baseline
from ..records.baseline import Numbers, Words
from ..records.refusals import Refusals
from ..records.variables import AETIOLOGIES
from ._marginals import (
    LogNormalMixture,
    bounds_of,
    happens,
    log_normal_value,
    logit_normal_share,
    normal_value,
    ordinal_value,
)
from .parameters import (
    CORRELATED,
    HLA_A0201P,
    HLA_A0205P,
    HLA_A_ALLELES,
    LOG_NORMAL,
    NORMAL,
    SYSTEMIC_ROUTES,
    PopulationPlan,
    correlation_factor,
    hla_frequencies,
    population_cards,
    shares,
)
from .plausibility import draw_plausible, implausible_baseline
from .rules import bclc_stage, child_pugh_score, egfr_ckd_epi_2021

_PURPOSE = "population"
Columns = dict[str, NDArray[Any]]
"""Fields of a baseline by name, each with one row per patient."""


def draw_baseline(plan: PopulationPlan, keys: Keys, streams: Streams) -> Baseline:
    """Patients with advanced, inoperable hepatocellular carcinoma at referral, one per key.

    `plan.country` and `keys` have one entry per patient. Raises InputError for overrides that cannot be used.
    """
    assert len(plan) == len(keys), "one country for each key"
    cards = population_cards(plan.overrides)
    scores = _correlated_scores(cards, keys, streams)
    values = _measured(cards, scores)
    taken_as_drawn: Columns = {name: values[name] for name in _TAKEN_AS_DRAWN}
    sex = np.where(_uniform("sex", keys, streams) < cards["baseline_male_share"].number, "male", "female")
    ecog = ordinal_value(scores["ecog"], shares(cards, "baseline_ecog_shares"))
    invasion, spread = (
        happens(scores[name], cards[f"baseline_{name}_share"].number)
        for name in ("macrovascular_invasion", "extrahepatic_spread")
    )
    return Baseline(
        age=values["age"],
        sex=sex,
        aetiology=_category("aetiology", AETIOLOGIES, cards, keys, streams),
        ecog=ecog,
        macrovascular_invasion=invasion,
        extrahepatic_spread=spread,
        bclc=bclc_stage(invasion, spread, ecog),
        lesion_diameters=_lesions(values["largest_lesion"], cards, keys, streams),
        creatinine=values["creatinine"],
        egfr=egfr_ckd_epi_2021(values["creatinine"], values["age"], sex),
        resectable_or_transplantable=np.zeros(len(keys), dtype=np.bool_),  # by definition of this population
        **taken_as_drawn,
        **_liver_function(cards, scores, values),
        **_alpha_fetoprotein(cards, scores, _uniform("afp_secretor", keys, streams)),
        **_body(cards, scores["height"], values["body_mass_index"], sex),
        **_hla(plan.country, cards, keys, streams),
        **_systemic_therapy(cards, keys, streams),
    )


def draw_plausible_baseline(plan: PopulationPlan, keys: Keys, streams: Streams) -> tuple[Baseline, Refusals]:
    """Patients as `draw_baseline` draws them, but nobody impossible (`BASELINE_RULES`), with what was refused.

    Raises InputError for overrides that cannot be used or that leave nobody plausible.
    """

    def draw(rows: NDArray[np.intp], chance: Streams) -> Baseline:
        return draw_baseline(replace(plan, country=plan.country[rows]), keys.take(rows), chance)

    return draw_plausible(draw, implausible_baseline, len(keys), streams)


_TAKEN_AS_DRAWN = ("lymphocytes", "neutrophils", "platelets", "haemoglobin", "alt", "ast", "crp", "life_expectancy")


def _uniform(purpose: str, keys: Keys, streams: Streams) -> Numbers:
    return np.ascontiguousarray(streams.named(_PURPOSE, purpose).uniform(keys)[:, 0])


def _correlated_scores(cards: Mapping[str, Card], keys: Keys, streams: Streams) -> Mapping[str, Numbers]:
    """Standard normal scores of the copula, by variable.

    The products are summed one column after the other: a matrix product may round differently for other numbers of
    patients.
    """
    factor = correlation_factor(cards)
    independent = [np.ascontiguousarray(streams.named(_PURPOSE, name).normal(keys)[:, 0]) for name in CORRELATED]
    scores = {}
    for row, name in enumerate(CORRELATED):
        score = np.zeros(len(keys))
        for column in np.flatnonzero(factor[row]):
            score = score + factor[row, column] * independent[column]
        scores[name] = score
    return scores


def _measured(cards: Mapping[str, Card], scores: Mapping[str, Numbers]) -> Mapping[str, Numbers]:
    """The normal and log-normal variables, each in the unit of its card."""
    quartile = cards["normal_upper_quartile"].number
    shapes = dict.fromkeys(NORMAL, normal_value) | dict.fromkeys(LOG_NORMAL, log_normal_value)
    return {name: shape(scores[name], cards[f"baseline_{name}"], quartile) for name, shape in shapes.items()}


def _category(name: str, categories: tuple[str, ...], cards: Mapping[str, Card], keys: Keys, streams: Streams) -> Words:
    probabilities = shares(cards, f"baseline_{name}_shares")
    assert len(probabilities) == len(categories), f"card baseline_{name}_shares needs one share for each category"
    drawn = streams.named(_PURPOSE, name).choice(keys, probabilities)
    return np.asarray(categories)[drawn]


def _liver_function(cards: Mapping[str, Card], scores: Mapping[str, Numbers], values: Mapping[str, Numbers]) -> Columns:
    """The five components of the Child-Pugh score, and the score."""
    components = {
        "bilirubin": values["bilirubin"],
        "albumin": values["albumin"],
        "inr": (PERCENT / values["prothrombin"]) ** cards["baseline_inr_exponent"].number,
        "ascites": ordinal_value(scores["ascites"], shares(cards, "baseline_ascites_shares")),
        "encephalopathy": ordinal_value(scores["encephalopathy"], shares(cards, "baseline_encephalopathy_shares")),
    }
    return {**components, "child_pugh": child_pugh_score(**components)}


def afp_mixture(cards: Mapping[str, Card]) -> LogNormalMixture:
    """Serum AFP of secreting and other tumours; the secretors' median is set to meet the share at the high level."""
    share, deviation = (cards[f"baseline_afp_secretor_{name}"].number for name in ("share", "log_sd"))
    other = cards["baseline_afp_nonsecretor"]
    other_centre, high = float(np.log(other.number)), float(np.log(cards["baseline_afp_high_level"].number))
    high_without_secretion = (1 - share) * ndtr((other_centre - high) / other.spread_value)
    high_among_secretors = (cards["baseline_afp_high_share"].number - high_without_secretion) / share
    if not 0 < high_among_secretors < 1:
        raise InputError(
            Fault(
                "card baseline_afp_secretor_share",
                f"{share:g} of tumours secrete, yet {cards['baseline_afp_high_share'].number:g} have high serum AFP",
                "raise the share of secretors or lower that of high values",
            )
        )
    return LogNormalMixture(
        share=share,
        centre=float(high + deviation * ndtri(high_among_secretors)),
        deviation=deviation,
        other_centre=other_centre,
        other_deviation=other.spread_value,
    )


def _alpha_fetoprotein(cards: Mapping[str, Card], scores: Mapping[str, Numbers], chance: Numbers) -> Columns:
    """AFP in serum (ng/mL), whether the tumour secretes it, and stained cells in and beside the tumour (percent)."""
    mixture = afp_mixture(cards)
    smallest, largest = mixture.below(np.log(cards["baseline_afp_range"].numbers))
    rank = smallest + (largest - smallest) * ndtr(scores["afp_serum"])
    log_serum = mixture.log_quantile(rank)
    stained = {
        f"afp_{tissue}_ihc": PERCENT
        * logit_normal_share(
            scores[f"afp_{tissue}_ihc"],
            cards[f"{stem}_level"].number / PERCENT,
            cards[f"{stem}_share"].number,
            cards[f"{deviation}_logit_sd"].number,
        )
        for tissue, stem, deviation in (
            ("tumour", "baseline_afp_ihc_positive", "baseline_afp_ihc"),
            ("nontumour", "baseline_afp_nontumour_high", "baseline_afp_nontumour"),
        )
    }
    secretor = chance < mixture.probability_of_first(log_serum)
    return {"afp_serum": np.exp(log_serum), "afp_secretor": secretor, **stained}


def _body(cards: Mapping[str, Card], score: Numbers, body_mass_index: Numbers, sex: Words) -> Columns:
    """Height in cm and weight in kg."""
    quartile = cards["normal_upper_quartile"].number
    men, women = (normal_value(score, cards[f"baseline_height_{one}"], quartile) for one in ("male", "female"))
    height = np.where(sex == "male", men, women)
    return {"height": height, "weight": body_mass_index * (height / CM_PER_M) ** 2}


def _lesions(largest: Numbers, cards: Mapping[str, Card], keys: Keys, streams: Streams) -> Numbers:
    """Diameters in mm, largest first, NaN beyond the number of lesions; shape (patients, 5).

    Further lesions have a uniform share of the largest one's volume, all shrunk alike where the total would exceed
    its limit, but each has at least the smallest diameter that counts as a lesion.
    """
    probabilities = shares(cards, "baseline_lesion_count_probabilities")
    most_others = len(probabilities) - 1
    further = streams.named(_PURPOSE, "lesion_count").choice(keys, probabilities)
    least, most = cards["baseline_other_lesion_volume"].numbers
    chance = streams.named(_PURPOSE, "other_lesions").uniform(keys, most_others)
    exists = np.arange(most_others) < further[:, None]
    volumes = np.where(exists, least + (most - least) * chance, 0)  # over that of the largest
    room = cards["baseline_tumour_volume_limit"].to("mm^3") / (SPHERE_VOLUME_PER_CUBED_DIAMETER * _cubed(largest)) - 1
    together = np.maximum(volumes.sum(axis=1), np.finfo(np.float64).eps)  # one lesion alone: nothing to shrink
    diameters = largest[:, None] * np.cbrt(volumes * np.clip(room / together, 0, 1)[:, None])
    others = np.where(exists, np.maximum(diameters, bounds_of(cards["baseline_largest_lesion"])[0]), 0)
    others = -np.sort(-others, axis=1)
    return np.column_stack([largest, np.where(others > 0, others, np.nan)])


def _cubed(value: Numbers) -> Numbers:
    return value * value * value


def _hla(country: Words, cards: Mapping[str, Card], keys: Keys, streams: Streams) -> Columns:
    """Two HLA-A alleles under Hardy-Weinberg, and how many of them the receptor needs or the protocol excludes."""
    frequencies = hla_frequencies(country, cards)
    alleles = np.column_stack(
        [
            np.asarray(HLA_A_ALLELES)[streams.named(_PURPOSE, "hla_a", parent).choice(keys, frequencies)]
            for parent in ("mother", "father")
        ]
    )
    return {
        "hla_a": alleles,
        "hla_a0201p_alleles": np.isin(alleles, HLA_A0201P).sum(axis=1).astype(np.float64),
        "hla_excluded_allele": np.isin(alleles, HLA_A0205P).any(axis=1),
    }


def _systemic_therapy(cards: Mapping[str, Card], keys: Keys, streams: Streams) -> Columns:
    """Why no standard therapy remains (nothing if it still runs), and how many lines; who refuses has had none."""
    route = _category("systemic_route", SYSTEMIC_ROUTES, cards, keys, streams)
    extra = streams.named(_PURPOSE, "extra_lines").choice(
        keys, np.asarray(cards["baseline_extra_lines_probabilities"].numbers)
    )
    refuses = route == "refuses"
    return {
        "progressed_on_systemic": route == "progressed",
        "intolerant_of_systemic": route == "intolerant",
        "refuses_systemic": refuses,
        "prior_lines": np.where(refuses, 0, 1 + extra).astype(np.float64),
    }
