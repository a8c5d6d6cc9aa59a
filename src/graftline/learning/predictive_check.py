"""The twin without cells against the table: AFP and diameter between treatments, and death.

Patients are drawn like the data: each virtual patient takes the lesion, AFP and Child-Pugh score of one real first
row, and the rest of a virtual patient of the population with that score. Nothing of the later course is handed over
but the days of the visits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..assessment.parameters import assay
from ..assessment.simulate import diameter_mm
from ..base.streams import Keys, Streams
from ..base.units import DAYS_PER_YEAR
from ..evidence import card
from ..population import PopulationPlan
from ..population.simulate import draw_baseline
from ..records import Baseline
from ..statistics import Transform, kaplan_meier, survival_on_days
from ..twin import (
    CourseRequest,
    Courses,
    DeathCoefficients,
    Latents,
    death_hazard,
    decompensation_hazard,
    first_event,
    run_courses,
)
from ..twin.simulate import draw_latents
from .fitted_cards import NaturalHistoryFits
from .growth import LEAST_DIAMETER_MM
from .hazards import decompensated_so_far
from .natural_history import NaturalHistory

Numbers = NDArray[np.float64]
Places = NDArray[np.intp]
Told = Callable[[str], None]
PERCENTILES = (0.1, 0.5, 0.9)
LAST_DAY = 365.0
"""how long after its first visit an untreated series is compared"""
BIN_EDGES = (0.0, 45.0, 90.0, 150.0, 230.0, 365.0)
"""days since the first visit of a series; the visits of a bin are compared together"""
_COMPARED_FROM_AFP = 20.0  # ng/mL at the first visit: the tumours that are followed by AFP
_LEAST_OF_BIN = 20  # visits below which a bin has no percentiles
_POOL = 4000  # virtual patients from whom those with the right Child-Pugh score are taken
_TAIL = 0.05  # the simulated interval holds the middle 90 %
_STEP_DAYS = 30.0  # of a course followed to death
_COUNTRY = "FR"
_SCAN_ERROR_DIAMETERS = 3  # volume goes with the third power of diameter


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What a check takes for granted of the twin, under the name of its line in the figures."""

    name: str
    growth: tuple[float, float] | None
    """mean and standard deviation of a normal Gompertz constant, 1/day; None: as the twin draws it"""
    diameter_error: float
    """standard deviation of the logarithm of a diameter"""
    afp_errors: tuple[float, float, float]
    """of ln AFP: from reading to reading, slow, and days of the slow part"""
    death: DeathCoefficients
    erratic: tuple[float, float, float, float] | None = None
    """share of erratic series, mean and standard deviation of their slope of ln volume in 1/day, error of ln volume"""

    @classmethod
    def as_shipped(cls) -> Assumptions:
        """The twin and the assays as on their cards."""
        rule = assay("afp")
        assert rule.slow_days is not None, "AFP wanders slowly by its card"
        return cls(
            name="twin as shipped",
            growth=None,
            diameter_error=card("scan_diameter_error").number,
            afp_errors=(rule.log_sd, rule.slow_log_sd, rule.slow_days),
            death=DeathCoefficients.from_cards(),
        )

    @classmethod
    def as_fitted(cls, fits: NaturalHistoryFits) -> Assumptions:
        """The twin with growth, errors and hazard of death as fitted."""
        growth, wander = fits.growth, fits.wander
        return cls(
            name="twin with fitted numbers",
            growth=(growth.mean, growth.standard_deviation),
            diameter_error=growth.scan_error / _SCAN_ERROR_DIAMETERS,
            afp_errors=(wander.short, wander.slow, wander.slow_days[0]),
            death=fits.death.coefficients,
        )

    @classmethod
    def as_fitted_with_erratic(cls, fits: NaturalHistoryFits) -> Assumptions:
        """As fitted, with the erratic series too: what the table shows, which is no longer a natural course."""
        share = 1 - fits.growth.followed_share
        return replace(
            cls.as_fitted(fits), name="fitted, erratic series included", erratic=(share, *fits.growth.erratic)
        )


def _nobody(_: str) -> None:
    """Nobody is told."""


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """How often the patients are drawn, from which seed, and whom to tell after each time."""

    replicates: int
    seed: int
    told: Told = _nobody


@dataclass(frozen=True, kw_only=True)
class Band:
    """One percentile in one bin of days: observed, and where 90 % of the simulated replicates have it."""

    quantity: str
    """'diameter' in mm or 'afp' in ng/mL"""
    assumptions: str
    percentile: float
    day: float
    """mean day of the visits of the bin"""
    visits: int
    observed: float
    low: float
    middle: float
    high: float


@dataclass(frozen=True, kw_only=True)
class SurvivalLine:
    """One survival curve on whole days 0, 1, …, with the limits of 95 % where there are any."""

    panel: str
    name: str
    days: Numbers
    survival: Numbers
    low: Numbers | None = None
    high: Numbers | None = None


@dataclass(frozen=True, kw_only=True)
class SurvivalCheck:
    """Curves by panel, and how many of the real patients are at risk."""

    lines: tuple[SurvivalLine, ...]
    at_risk: tuple[tuple[str, tuple[int, ...]], ...]
    """panel and numbers at risk on `risk_days`"""
    risk_days: tuple[int, ...]


ALL_PATIENTS = "All patients, as treated"
UNTREATED_PATIENTS = "Untreated at first visit, followed to the first treatment"
RISK_DAYS = tuple(round(year * DAYS_PER_YEAR) for year in range(6))


def check_courses(
    history: NaturalHistory,
    assumptions: Sequence[Assumptions],
    repetition: Repetition,
) -> tuple[Band, ...]:
    """Visual predictive check of diameter and AFP, from the first untreated visit with a lesion to the first treatment.

    One series per patient: visits after one without treatment, to the first that follows a treatment, a year at most.
    A lesion that is gone counts with 0 mm. Each replicate draws every patient anew.
    """
    rows, seen = _series(history)
    days = np.where(seen, history.day[rows] - history.day[rows[:, :1]], np.nan)
    diameters = np.where(seen, history.diameter[rows], np.nan)
    afp = np.where(seen, np.maximum(history.afp[rows], card("assay_afp_lower_limit").number), np.nan)
    afp[afp[:, 0] < _COMPARED_FROM_AFP] = np.nan
    observed = {"diameter": diameters, "afp": afp}
    bands: list[Band] = []
    for one in assumptions:
        drawn = []
        for replicate in range(repetition.replicates):
            drawn.append(_simulated(history, rows, days, one, Streams(repetition.seed), replicate))
            repetition.told("courses")
        for quantity, values in observed.items():
            copies = np.stack([_binned(np.where(np.isnan(values), np.nan, made[quantity]), days) for made in drawn])
            bands += _bands(quantity, one.name, values, days, copies)
    return tuple(bands)


def check_survival(
    history: NaturalHistory,
    assumptions: Sequence[Assumptions],
    fitted: DeathCoefficients,
    repetition: Repetition,
) -> SurvivalCheck:
    """Kaplan-Meier of death against the twin without cells, for five years from the first visit.

    For all patients a further curve shows the fitted hazard along what was really found at each visit, among those
    still followed: it tests the hazard alone, not the growth.
    """
    last = RISK_DAYS[-1]
    first = history.first
    calm = np.flatnonzero(~history.treated[first])
    lines, at_risk = [], []
    for panel, chosen in ((ALL_PATIENTS, np.arange(len(first))), (UNTREATED_PATIENTS, calm)):
        days, died = _followed(history, first[chosen], to_treatment=panel == UNTREATED_PATIENTS)
        curve = kaplan_meier(days, died, transform=Transform.LOG_LOG)
        grid = np.arange(0, last + 1, dtype=np.float64)
        low, high = curve.limits_at(grid)
        lines.append(SurvivalLine(panel=panel, name="data", days=grid, survival=curve.at(grid), low=low, high=high))
        at_risk.append((panel, tuple(int(n) for n in curve.at_risk_on(np.array(RISK_DAYS)))))
        for one in assumptions:
            lines.append(_simulated_survival(history, first[chosen], one, panel, repetition))
    lines.append(_along_findings(history, fitted, last))
    return SurvivalCheck(lines=tuple(lines), at_risk=tuple(at_risk), risk_days=RISK_DAYS)


def _series(history: NaturalHistory) -> tuple[Places, NDArray[np.bool_]]:
    """Rows of the first untreated series of each patient, (patients, visits), and which of them there are."""
    steps = history.intervals
    calm = steps.where(~history.treated[steps.start])
    chains: list[list[int]] = []
    taken: set[int] = set()
    for chain in calm.chains():
        begin = next((place for place, row in enumerate(chain) if history.diameter[row] >= LEAST_DIAMETER_MM), None)
        subject = int(history.subject[chain[0]])
        if begin is None or subject in taken:
            continue
        rows = [row for row in chain[begin:] if history.day[row] - history.day[chain[begin]] <= LAST_DAY]
        if len(rows) > 1:
            chains.append(rows)
            taken.add(subject)
    longest = max(len(chain) for chain in chains)
    places = np.array([chain + [chain[0]] * (longest - len(chain)) for chain in chains], dtype=np.intp)
    seen = np.arange(longest)[None, :] < np.array([len(chain) for chain in chains])[:, None]
    return places, seen


@lru_cache(maxsize=1)
def _pool(streams: Streams) -> Baseline:
    """Virtual patients from whom those with the right Child-Pugh score are taken; the same for every replicate."""
    return draw_baseline(PopulationPlan(country=np.full(_POOL, _COUNTRY)), Keys.of(0, 0, np.arange(_POOL)), streams)


def _like_the_data(history: NaturalHistory, rows: Places, keys: Keys, streams: Streams) -> Baseline:
    """Virtual patients with the lesion, AFP and Child-Pugh score of these rows; the rest from the population."""
    pool = _pool(streams)
    order = np.argsort(pool.child_pugh, kind="stable")
    scores = pool.child_pugh[order]
    uniform = streams.named("learning", "liver").uniform(keys)[:, 0]
    wanted = np.clip(history.child_pugh[rows], scores[0], scores[-1])
    wanted = scores[np.searchsorted(scores, wanted)]  # the next higher score, if nobody has this one
    low, high = np.searchsorted(scores, wanted, side="left"), np.searchsorted(scores, wanted, side="right")
    chosen = pool.take(order[low + np.floor(uniform * (high - low)).astype(np.intp)])
    lesions = np.full(chosen.lesion_diameters.shape, np.nan)
    lesions[:, 0] = history.diameter[rows]
    unknown = np.full(len(rows), np.nan)
    return replace(
        chosen,
        lesion_diameters=lesions,
        afp_serum=np.maximum(history.afp[rows], card("assay_afp_lower_limit").number),
        afp_tumour_ihc=unknown,
        afp_nontumour_ihc=unknown,
    )


def _latents(history: NaturalHistory, rows: Places, one: Assumptions, keys: Keys, streams: Streams) -> Latents:
    latents = draw_latents(_like_the_data(history, rows, keys, streams), keys, streams)
    if one.growth is None:
        return latents
    parameters = latents.parameters
    room = np.log(parameters["Vmax"] / (parameters["V0"] + parameters["eps"]))
    normal = streams.named("learning", "growth").normal(keys)[:, 0]
    mean, spread = one.growth
    constant = mean + spread * normal
    if one.erratic is not None:
        constant = np.where(_erratic(one, keys, streams), (one.erratic[1] + one.erratic[2] * normal) / room, constant)
    before, now = parameters["kP"] + parameters["lam0"] * room, parameters["kP"] + constant * room
    made = parameters["sP"] * np.maximum(now, 0) / before  # AFP at the start stays as measured
    return latents.changed(lam0=constant, sP=made)


def _erratic(one: Assumptions, keys: Keys, streams: Streams) -> NDArray[np.bool_]:
    share = 0.0 if one.erratic is None else one.erratic[0]
    return streams.named("learning", "erratic").uniform(keys)[:, 0] < share


def _diameter_errors(one: Assumptions, keys: Keys, streams: Streams) -> Numbers:
    """Standard deviation of ln diameter, (patients, 1)."""
    other = 0.0 if one.erratic is None else one.erratic[3] / _SCAN_ERROR_DIAMETERS
    return np.where(_erratic(one, keys, streams), other, one.diameter_error)[:, None]


def _simulated(
    history: NaturalHistory, rows: Places, days: Numbers, one: Assumptions, streams: Streams, replicate: int
) -> dict[str, Numbers]:
    """Diameter and AFP as they would be read on these days, (patients, visits); the first reading is the real one."""
    keys = Keys.of(replicate, 0, np.arange(len(rows)))
    latents = _latents(history, rows[:, 0], one, keys, streams)
    visits = days.shape[1]
    beyond = np.nanmax(days, axis=1, keepdims=True) + np.arange(1.0, visits + 1)  # the engine wants rising times
    filled = np.where(np.isnan(days), beyond, days)
    courses = run_courses(CourseRequest(latents=latents), filled)
    scan = _diameter_errors(one, keys, streams) * streams.named("learning", "scan").normal(keys, visits)
    short, slow, slow_days = one.afp_errors
    wander = short * streams.named("learning", "afp").normal(keys, visits)
    wander += slow * _autoregression(filled / slow_days, streams.named("learning", "afp slow").normal(keys, visits))
    read = np.rint(diameter_mm(courses.scan_volume) * np.exp(scan - scan[:, :1]))
    afp = courses.afp * np.exp(wander - wander[:, :1])
    limits = (card("assay_afp_lower_limit").number, card("assay_afp_upper_limit").number)
    return {"diameter": read, "afp": np.clip(afp, *limits)}


def _autoregression(at: Numbers, normal: Numbers) -> Numbers:
    """Stationary, first order, unit variance, at times in units of its own time constant."""
    state = normal.copy()
    for visit in range(1, normal.shape[1]):
        memory = np.exp(-(at[:, visit] - at[:, visit - 1]))
        state[:, visit] = memory * state[:, visit - 1] + np.sqrt(1 - memory**2) * normal[:, visit]
    return state


def _bin_of(days: Numbers) -> NDArray[np.intp]:
    """Number of the bin of each visit; -1 for the first visit, which the simulation is given, and for none."""
    later = np.searchsorted(np.array(BIN_EDGES), np.nan_to_num(days), side="left") - 1
    return np.where(np.isnan(days) | (days <= 0), -1, later)


def _binned(values: Numbers, days: Numbers) -> Numbers:
    """Percentiles in each bin, (bins, percentiles); NaN where too few visits."""
    place = _bin_of(days)
    table = np.full((len(BIN_EDGES) - 1, len(PERCENTILES)), np.nan)
    for number in range(len(table)):
        inside = values[(place == number) & ~np.isnan(values)]
        if len(inside) >= _LEAST_OF_BIN:
            table[number] = np.quantile(inside, PERCENTILES)
    return table


def _bands(quantity: str, name: str, values: Numbers, days: Numbers, copies: Numbers) -> list[Band]:
    observed, place = _binned(values, days), _bin_of(days)
    low, middle, high = np.quantile(copies, (_TAIL, 0.5, 1 - _TAIL), axis=0)
    bands = []
    for number in range(len(observed)):
        inside = (place == number) & ~np.isnan(values)
        if np.isnan(observed[number]).any():
            continue
        for column, percentile in enumerate(PERCENTILES):
            bands.append(
                Band(
                    quantity=quantity,
                    assumptions=name,
                    percentile=percentile,
                    day=float(days[inside].mean()),
                    visits=int(inside.sum()),
                    observed=float(observed[number, column]),
                    low=float(low[number, column]),
                    middle=float(middle[number, column]),
                    high=float(high[number, column]),
                )
            )
    return bands


def _followed(history: NaturalHistory, rows: Places, *, to_treatment: bool) -> tuple[Numbers, NDArray[np.bool_]]:
    """Whole days from these first visits to death or last contact, and whether it was death."""
    days, died = np.rint(history.days_left[rows]), history.died[rows].copy()
    if to_treatment:
        treated = np.flatnonzero(history.treated)
        subject, place = np.unique(history.subject[treated], return_index=True)
        until = np.full(history.patients, np.inf)
        until[subject] = history.day[treated[place]]
        ends = until[history.subject[rows]]
        died &= days <= ends
        days = np.minimum(days, ends)
    return days, died


def _simulated_survival(
    history: NaturalHistory,
    rows: Places,
    one: Assumptions,
    panel: str,
    repetition: Repetition,
) -> SurvivalLine:
    """Share alive of the same patients without treatment, over all replicates together."""
    last = RISK_DAYS[-1]
    times = np.arange(0.0, last + _STEP_DAYS, _STEP_DAYS)
    streams = Streams(repetition.seed)
    ends = []
    for replicate in range(repetition.replicates):
        keys = Keys.of(replicate, 0, history.subject[rows])
        courses = run_courses(CourseRequest(latents=_latents(history, rows, one, keys, streams)), times)
        ends.append(_deaths(courses, one.death, keys, streams))
        repetition.told("survival")
    days = np.floor(np.minimum(np.concatenate(ends), last + 1.0))
    curve = survival_on_days(days[None, :], (days <= last)[None, :], last)[0]
    return SurvivalLine(panel=panel, name=one.name, days=np.arange(last + 1, dtype=np.float64), survival=curve)


def _deaths(courses: Courses, coefficients: DeathCoefficients, keys: Keys, streams: Streams) -> Numbers:
    uniforms = [streams.named("learning", purpose).uniform(keys)[:, 0] for purpose in ("decompensation", "death")]
    decompensated = first_event(decompensation_hazard(courses), courses.times, uniforms[0])
    return first_event(death_hazard(courses, decompensated, coefficients), courses.times, uniforms[1])


def _along_findings(history: NaturalHistory, coefficients: DeathCoefficients, last: int) -> SurvivalLine:
    """exp(-cumulated mean hazard) of those still followed on each day, each with the findings of the last visit."""
    hazard = coefficients.hazard(history.volume, history.child_pugh, decompensated_so_far(history), history.afp)
    starts = np.rint(history.day).astype(np.intp)
    same = np.append(np.diff(history.subject) == 0, False)
    ends = np.rint(history.day + history.days_left).astype(np.intp)
    ends[same] = np.rint(history.day[1:][same[:-1]]).astype(np.intp)
    total, count = np.zeros(last + 2), np.zeros(last + 2)
    for change, places in ((1.0, starts), (-1.0, np.maximum(starts, ends))):
        inside = places <= last
        np.add.at(total, places[inside], change * hazard[inside])
        np.add.at(count, places[inside], change)
    mean = np.cumsum(total)[: last + 1] / np.maximum(np.cumsum(count)[: last + 1], 1.0)
    cumulated = np.concatenate([[0.0], np.cumsum(mean)[:-1]])
    return SurvivalLine(
        panel=ALL_PATIENTS,
        name="fitted hazard, real findings",
        days=np.arange(last + 1, dtype=np.float64),
        survival=np.exp(-cumulated),
    )
