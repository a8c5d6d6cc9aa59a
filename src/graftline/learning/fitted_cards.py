"""The fitted numbers as evidence cards of their own, beside those of the twin; none of them changes the twin."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..base.units import DAYS_PER_YEAR
from ..evidence import Card, Spread, SpreadKind, Sure
from ..statistics import NoMaximumError
from .alpha_fetoprotein import SecretionFit, WanderFit, fit_secretion, fit_wander, half_lives
from .growth import RATE_UNIT, GrowthFit, fit_growth
from .hazards import FRESH_DAYS, DeathFit, LiverFit, NewLesionFit, fit_child_pugh, fit_death, fit_new_lesions
from .natural_history import NaturalHistory


@dataclass(frozen=True)
class Dataset:
    """What the numbers were fitted to, and what to keep in mind of it."""

    name: str
    caveat: str


_GUANGZHOU = Dataset(
    "DTSDHCC (R package SurvivalPath 1.3.2; Shen 2018, doi 10.1038/s41467-018-04633-7)",
    "one centre (Guangzhou 2007-2020), intermediate stage, mostly chemo-embolised; missing values imputed, AFP capped "
    "at 121 000 ng/mL, treatment chosen by course: use shapes, not levels, for second-line patients elsewhere",
)
_GUANGZHOU_DIGEST = "7ca16e502c38ba70b0942fc23326aeffdb44f64c8362e15f9f14d62b3437b709"
_DIGITS = 3
_HEADER = """\
# Natural history of hepatocellular carcinoma, fitted by `graftline calibrate natural-history`; not edited by hand.
# Beside the cards of the twin, which keep their own numbers (docs/decisions/0011-fitted-numbers-stand-beside.md).
"""


def dataset_of(path: Path) -> Dataset:
    """The data set in a file: the Guangzhou table is known by its digest, any other has its file's name."""
    content = path.read_bytes().replace(b"\r\n", b"\n")
    if hashlib.sha256(content).hexdigest() == _GUANGZHOU_DIGEST:
        return _GUANGZHOU
    return Dataset(path.name, "treatment chosen by course: not the course of untreated patients")


Fit = TypeVar("Fit")
Interval = tuple[float, float, float]
"""value, low and high end of its 95 % interval"""


@dataclass(frozen=True, kw_only=True)
class NaturalHistoryFits:
    """Everything that is fitted to a table of visits."""

    patients: int
    growth: GrowthFit
    secretion: SecretionFit
    secretion_by_power: SecretionFit
    """with the exponent of volume fitted too"""
    wander: WanderFit
    half_life: tuple[float, float, float]
    """days: median, lower and upper quartile"""
    resections: int
    liver: LiverFit
    new_lesions: NewLesionFit
    death: DeathFit


def fit_all(history: NaturalHistory) -> NaturalHistoryFits:
    """Every fit, from one table. Raises NoMaximumError, with the name of the fit, if the table tells too little."""
    lives = half_lives(history)
    if not len(lives):
        raise NoMaximumError("half-life of AFP: no resection after which AFP fell and no lesion was left")
    low, middle, high = np.quantile(lives, (0.25, 0.5, 0.75))
    return NaturalHistoryFits(
        patients=history.patients,
        growth=_named("growth", lambda: fit_growth(history)),
        secretion=_named("AFP per volume", lambda: fit_secretion(history)),
        secretion_by_power=_named("AFP by a power of volume", lambda: fit_secretion(history, exponent=None)),
        wander=_named("AFP in time", lambda: fit_wander(history)),
        half_life=(float(middle), float(low), float(high)),
        resections=len(lives),
        liver=_named("Child-Pugh", lambda: fit_child_pugh(history)),
        new_lesions=_named("new lesions", lambda: fit_new_lesions(history)),
        death=_named("death", lambda: fit_death(history)),
    )


def _named(name: str, fit: Callable[[], Fit]) -> Fit:
    try:
        return fit()
    except NoMaximumError as error:
        raise NoMaximumError(f"{name}: {error}") from error


def natural_history_cards(fits: NaturalHistoryFits, dataset: Dataset) -> tuple[Card, ...]:
    """One card for each fitted number, rounded to three digits, with the data set's name and caveat on each."""
    afp = (*_secretion_cards(fits), *_wander_cards(fits))
    cards = (*_growth_cards(fits.growth), *afp, *_hazard_cards(fits), *_death_cards(fits.death))
    return tuple(
        one.model_copy(
            update={
                "source": f"fitted to {dataset.name}",
                "note": "; ".join(part for part in (one.note, dataset.caveat) if part),
            }
        )
        for one in cards
    )


def cards_as_yaml(cards: tuple[Card, ...]) -> str:
    """The text of a card file, as it stands in `evidence/cards`."""
    return _HEADER + "".join(_as_yaml(card) for card in cards)


def _growth_cards(growth: GrowthFit) -> tuple[Card, ...]:
    fit, n = growth.fit, growth.fit.people
    mean_low, mean_high = (RATE_UNIT * one for one in fit.interval("mean"))
    spread_low, spread_high = (RATE_UNIT * math.exp(one) for one in fit.interval("ln_sd"))
    rate, rate_sd, rate_error = growth.erratic
    median = growth.doubling_days()
    slow, fast = growth.doubling_days(0.25)[0], growth.doubling_days(0.75)[0]
    return (
        _card(
            "natural_growth",
            growth.mean,
            "1/day",
            "Gompertz growth constant of the largest lesion between treatments, series followed with an ordinary "
            "error; may be negative",
            n,
            spread=Spread(kind=SpreadKind.SD, value=_rounded(growth.standard_deviation)),
            note=f"95 % interval of the mean {mean_low:.2g} to {mean_high:.2g}, of the SD between series "
            f"{spread_low:.2g} to {spread_high:.2g}; no history of untreated growth: who grew was treated",
        ),
        _card(
            "natural_growth_doubling",
            median[0],
            "day",
            "volume doubling at 151 cm3, median of the followed series that truly grow",
            n,
            interval=median,
            note=f"quartiles {fast:.0f} to {slow:.0f} d; 43 d is the median of those seen to grow by 20 % or more, "
            "so of the fastest and the most misread",
        ),
        _card(
            "natural_growth_scan_error",
            growth.scan_error,
            "1",
            "SD of a reading of ln volume in followed series (a third of it in ln diameter)",
            n,
            interval=_exponential(fit.interval("ln_error"), growth.scan_error),
        ),
        _card(
            "natural_growth_followed_share",
            growth.followed_share,
            "1",
            "share of series between treatments that are followed; the others are erratic (another lesion, an "
            "unrecorded treatment, a late effect)",
            n,
            interval=_logistic(fit.interval("logit_followed"), growth.followed_share),
        ),
        _card(
            "natural_growth_erratic",
            rate,
            "1/day",
            "change of ln volume in erratic series",
            n,
            spread=Spread(kind=SpreadKind.SD, value=_rounded(rate_sd)),
            note=f"SD of a reading there {rate_error:.2g}",
        ),
    )


def _secretion_cards(fits: NaturalHistoryFits) -> tuple[Card, ...]:
    secretion, n = fits.secretion, fits.secretion.fit.people
    background, background_sd = secretion.background
    power = fits.secretion_by_power.fit
    return (
        _card(
            "natural_afp_per_volume",
            secretion.per_volume,
            "ng/mL/cm^3",
            "serum AFP per volume of the largest lesion at first visit, tumours that secrete it (median)",
            n,
            spread=Spread(kind=SpreadKind.LOG_SD, value=_rounded(secretion.log_sd)),
            note="secreting or not is told apart by the fit; a cut at 20 ng/mL gives e^2.27 and 2.6",
        ),
        _card(
            "natural_afp_secretor_share",
            secretion.secretor_share[0],
            "1",
            "share of tumours that secrete AFP, at first visit",
            n,
            interval=secretion.secretor_share,
        ),
        _card(
            "natural_afp_background",
            background,
            "ng/mL",
            "serum AFP without secretion by the tumour (median)",
            n,
            spread=Spread(kind=SpreadKind.LOG_SD, value=_rounded(background_sd)),
        ),
        _card(
            "natural_afp_volume_exponent",
            power["exponent"],
            "1",
            "power of volume with which AFP rises from patient to patient, among secretors",
            n,
            interval=(power["exponent"], *power.interval("exponent")),
            note="the twin has 1",
        ),
    )


def _wander_cards(fits: NaturalHistoryFits) -> tuple[Card, ...]:
    wander, followed = fits.wander, fits.wander.fit.people
    beyond_assay = "holds treatment, other lesions and imputed values: not the error of an assay"
    return (
        _card(
            "natural_afp_within_slope",
            wander.fit["slope"],
            "1",
            "change of ln AFP per change of ln volume within a patient, AFP 100 ng/mL or more",
            followed,
            interval=(wander.fit["slope"], *wander.fit.interval("slope")),
            note="volume itself is read with error and is that of one lesion, both of which lower the slope",
        ),
        _card(
            "natural_afp_short_error",
            wander.short,
            "1",
            "SD of ln AFP from reading to reading, around its slow course",
            followed,
            interval=_exponential(wander.fit.interval("ln_short"), wander.short),
            note=beyond_assay,
        ),
        _card(
            "natural_afp_slow_error",
            wander.slow,
            "1",
            "SD of the slow wandering of ln AFP around what volume predicts",
            followed,
            interval=_exponential(wander.fit.interval("ln_slow"), wander.slow),
            note=f"{beyond_assay}; with the reading error, SD {wander.residual:.2g} of a change over 80 d",
        ),
        _card(
            "natural_afp_slow_time",
            wander.slow_days[0],
            "day",
            "time in which the slow wandering of AFP forgets its past (to 1/e)",
            followed,
            interval=wander.slow_days,
            note=beyond_assay,
        ),
        _card(
            "natural_afp_half_life",
            fits.half_life[0],
            "day",
            "apparent half-life of AFP after resection to no visible lesion, AFP 400 ng/mL or more before, 10-60 d "
            "(median)",
            fits.resections,
            spread=Spread(kind=SpreadKind.IQR, low=_rounded(fits.half_life[1]), high=_rounded(fits.half_life[2])),
            note="biology and what was left of the tumour; the day of the operation is not known, so too long",
        ),
    )


def _hazard_cards(fits: NaturalHistoryFits) -> tuple[Card, ...]:
    liver, lesions = fits.liver, fits.new_lesions
    return (
        _card(
            "natural_child_pugh_worsening",
            liver.worsening[0],
            "1/day",
            "hazard of Child-Pugh 6 or less to 7 or more, treated or not, with a way back",
            liver.fit.people,
            interval=liver.worsening,
            note=f"{liver.worsened} of {liver.steps} intervals; who dies before the next visit is not seen to worsen",
        ),
        _card(
            "natural_child_pugh_recovery",
            liver.recovery[0],
            "1/day",
            "hazard of Child-Pugh 7 or more back to 6 or less",
            liver.fit.people,
            interval=liver.recovery,
            note="much of the worsening passes: after an embolisation scores rise and fall",
        ),
        _card(
            "natural_new_lesion",
            lesions.level[0],
            "1/day",
            "hazard of a new lesion at 151 cm3, between visits without treatment, a lesion in sight",
            lesions.fit.people,
            interval=lesions.level,
            note=f"{lesions.lesions} new lesions in {lesions.intervals} intervals",
        ),
        _card(
            "natural_new_lesion_volume_exponent",
            lesions.fit["exponent"],
            "1",
            "power of the volume of the largest lesion with which the hazard of a new lesion rises",
            lesions.fit.people,
            interval=(lesions.fit["exponent"], *lesions.fit.interval("exponent")),
            note="the twin has 1/2",
        ),
    )


def _death_cards(death: DeathFit) -> tuple[Card, ...]:
    fit, n = death.fit, death.fit.people
    meanings = {
        "volume": "rise of the hazard of death with the logarithm of the volume of the largest lesion",
        "points": "rise of the hazard of death per Child-Pugh point",
        "decompensated": "rise of the hazard of death once Child-Pugh has risen from 6 or less to 7 or more",
        "high_afp": "rise of the hazard of death with AFP at or above 400 ng/mL",
    }
    years = death.days_at_risk / DAYS_PER_YEAR
    about = f"{death.deaths} deaths within {FRESH_DAYS:.0f} d of a visit, {years:.0f} years at risk"
    return (
        _card(
            "natural_death",
            death.level[0],
            "1/day",
            "hazard of death at 151 cm3, Child-Pugh 5, AFP below 400 ng/mL",
            n,
            interval=death.level,
            note=f"{about}; treated patients: not a level for others",
        ),
        *(
            _card(f"natural_death_{name}", fit[name], "1", meaning, n, interval=(fit[name], *fit.interval(name)))
            for name, meaning in meanings.items()
        ),
    )


def _card(name: str, value: float, unit: str, meaning: str, n: int, **more: Any) -> Card:
    """A card without its data set; `more` may be `spread`, or `interval` for one of kind ci95, and `note`."""
    interval: Interval | None = more.pop("interval", None)
    if interval is not None:
        more["spread"] = Spread(kind=SpreadKind.CI95, low=_rounded(interval[1]), high=_rounded(interval[2]))
    return Card(
        name=name,
        value=_rounded(value),
        unit=unit,
        meaning=meaning,
        source="fitted",
        sure=Sure.DERIVED,
        n=n,
        **more,
    )


def _exponential(interval: tuple[float, float], value: float) -> Interval:
    return value, math.exp(interval[0]), math.exp(interval[1])


def _logistic(interval: tuple[float, float], value: float) -> Interval:
    low, high = (1 / (1 + math.exp(-end)) for end in interval)
    return value, low, high


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _as_yaml(card: Card) -> str:
    spread = card.spread
    ends = {"value": spread.value, "low": spread.low, "high": spread.high}
    numbers = ", ".join(f"{name}: {number!r}" for name, number in ends.items() if number is not None)
    lines = [
        f"{card.name}:",
        f"  value: {card.number!r}",
        f'  unit: "{card.unit}"',
        f'  meaning: "{card.meaning}"',
        f"  n: {card.n}",
        f'  source: "{card.source}"',
        f"  sure: {card.sure.value}",
        f"  spread: {{kind: {spread.kind.value}, {numbers}}}",
        f'  note: "{card.note}"',
    ]
    return "\n".join(lines) + "\n"
