"""The twin of one measured patient: many samples of everything that was not measured, with cells and without.

A pure function of what is known, what is done, the number of samples and the seed. The courses are judged by the same
rules as those of a trial. Sample k draws the same numbers whatever is done, so arms and doses are compared in pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..base.clock import model_time, protocol_day
from ..base.errors import Fault, InputError
from ..base.streams import Keys, Streams, site_key
from ..base.units import BILLION, CM_PER_M
from ..evidence import card
from ..population import PopulationPlan, child_pugh_score, egfr_ckd_epi_2021
from ..population.simulate import draw_baseline
from ..protocol.schema import Protocol
from ..records import PRODUCT_VARIABLES, VARIABLES, Baseline, Variable, VariableKind
from ..twin import CARD_OF, first_event, new_lesion_hazard, referral_state, twin_model, twin_text
from ..twin.simulate import draw_latents
from .treated import Outcomes, Treatment, evaluate, first_day_of, regimen_in_force

Numbers = NDArray[np.float64]

_PURPOSE = "one patient"
_CLOCKS = ("decompensation", "new_lesion", "death")

ASSUMED_FROM: Mapping[str, tuple[str, ...]] = {
    **{
        name: (f"baseline_{name}",)
        for name in ("age", "bilirubin", "albumin", "lymphocytes", "neutrophils", "platelets", "alt", "crp")
    },
    "sex": ("baseline_male_share",),
    "weight": ("baseline_body_mass_index",),
    "height": ("baseline_height_male", "baseline_height_female"),
    "inr": ("baseline_prothrombin", "baseline_inr_exponent"),
    "ascites": ("baseline_ascites_shares",),
    "encephalopathy": ("baseline_encephalopathy_shares",),
    "egfr": ("baseline_creatinine", "ckd_epi_2021_scale"),
    "afp_serum": ("baseline_afp_high_share", "baseline_afp_secretor_log_sd", "baseline_afp_nonsecretor"),
    "afp_tumour_ihc": ("baseline_afp_ihc_positive_share", "baseline_afp_ihc_logit_sd"),
    "afp_nontumour_ihc": ("baseline_afp_nontumour_high_share", "baseline_afp_nontumour_logit_sd"),
    "hla_a0201p_alleles": ("twin_alleles",),
    "lesion_diameters": ("baseline_largest_lesion", "baseline_lesion_count_probabilities"),
    "memory_share": ("twin_fM",),
    "copies_per_cell": ("twin_copies_per_cell",),
}
"""What ties the twin to a patient and a product -> the cards it is drawn around, or set to, where it is not known."""

_SET_BY_THE_PATIENT = ("V0", "fN", "sP", "J0", "L0", "R0", "U0", "ANC0", "PLT0")
"""symbols of the twin that follow from the baseline of a patient, measured or drawn"""

MEASURED = tuple(name for name in ASSUMED_FROM if name in VARIABLES and name != "sex")
"""Numbers that may be given of a patient, in the units of `graftline.records.VARIABLES`."""


@dataclass(frozen=True, kw_only=True)
class KnownPatient:
    """What is known of one patient just before lymphodepletion. What is absent is not known, and drawn."""

    numbers: Mapping[str, float] = field(default_factory=dict)
    """by name, in the unit of `graftline.records.VARIABLES`; the names are those of `MEASURED`"""
    sex: str | None = None
    lesion_diameters: tuple[float, ...] = ()
    """mm, taken as true; none: drawn"""

    def knows(self, name: str) -> bool:
        """Whether that was given."""
        given = {"sex": self.sex is not None, "lesion_diameters": bool(self.lesion_diameters)}
        return given.get(name, name in self.numbers)


@dataclass(frozen=True, kw_only=True)
class PlannedTreatment:
    """What is done: conditioning of a protocol, then one infusion on Day 1."""

    protocol: Protocol
    regimen: str
    """name of a regimen of the protocol; fludarabine is reduced by renal function as the protocol says"""
    cells: float
    """transduced cells"""
    modules: tuple[str, ...]
    """of the twin"""
    last_day: int
    """protocol day on which the follow-up ends"""
    memory_share: float | None = None
    """memory-like share of the product, 0 to 1; None: drawn"""
    copies_per_cell: float | None = None
    """vector copies per transduced cell; None: as the card says"""


@dataclass(frozen=True, kw_only=True)
class SampledArm:
    """The samples of the patient under one treatment; arrays are (samples,)."""

    outcomes: Outcomes
    new_lesion_day: Numbers
    """model time at which a lesion elsewhere appears, infinite if never"""

    @property
    def solved(self) -> NDArray[np.bool_]:
        """Samples whose equations could be solved."""
        return np.asarray(self.outcomes.courses.status == 0, dtype=np.bool_)

    @property
    def observed_until(self) -> Numbers:
        """Model time of death or of the end of follow-up."""
        return np.minimum(self.outcomes.death_day, self.outcomes.last_day.astype(np.float64))


@dataclass(frozen=True, kw_only=True)
class OnePatient:
    """The samples of one patient with cells and, if asked, without: the same conditioning and no infusion."""

    known: KnownPatient
    planned: PlannedTreatment
    keys: Keys
    streams: Streams
    baseline: Baseline
    """each sample at the start of lymphodepletion: what was given stands in all of them"""
    memory_share: Numbers
    begins: int
    """model time of the first chemotherapy"""
    arms: Mapping[str, SampledArm]
    """'cells' and, if asked, 'no cells'"""

    def __len__(self) -> int:
        return len(self.baseline)


def simulate_one_patient(
    known: KnownPatient, planned: PlannedTreatment, *, samples: int, seed: int, without_cells: bool = True
) -> OnePatient:
    """Courses of one patient under a treatment, `samples` times over everything that was not measured.

    What is not known of the patient is drawn as for the virtual population, not conditioned on what is known and not
    on eligibility; what nobody measures (parameters of the twin) is drawn around its card. Raises InputError with every
    value that cannot be meant, each with the range it may have.
    """
    _refuse(known, planned, samples)
    keys = Keys.of(0, site_key(_PURPOSE), np.arange(samples))
    streams = Streams(seed)
    baseline = sampled_baseline(known, keys, streams)
    latents = draw_latents(baseline, keys, streams)
    protocol = _as_planned(planned)
    begins = first_day_of(regimen_in_force(protocol))
    missing = np.full(samples, np.nan)
    cells = np.full(samples, planned.cells / BILLION)
    treatment = Treatment(
        keys=keys,
        latents=latents,
        start=referral_state(latents),
        protocols=(protocol,) * samples,
        conditioning_starts=((begins,),) * samples,
        egfr=baseline.egfr,
        cells=cells,
        target=cells,
        memory_share=missing if planned.memory_share is None else np.full(samples, planned.memory_share),
        copies_per_cell=missing if planned.copies_per_cell is None else np.full(samples, planned.copies_per_cell),
        clocks=np.concatenate([streams.named("clock", name).uniform(keys) for name in _CLOCKS], axis=1),
        decompensated=np.zeros(samples, dtype=np.bool_),
        second_day=missing,
        second_cells=missing,
    )
    treatments = {"cells": treatment}
    if without_cells:
        treatments["no cells"] = replace(treatment, cells=np.zeros(samples))
    return OnePatient(
        known=known,
        planned=planned,
        keys=keys,
        streams=streams,
        baseline=baseline,
        memory_share=latents.parameters["fM"] if planned.memory_share is None else treatment.memory_share,
        begins=begins,
        arms={name: _arm(one, planned, streams) for name, one in treatments.items()},
    )


def _arm(treatment: Treatment, planned: PlannedTreatment, streams: Streams) -> SampledArm:
    last_day = np.full(len(treatment), model_time(planned.last_day), dtype=np.int64)
    outcomes = evaluate(treatment, last_day, streams)
    courses = outcomes.courses
    return SampledArm(
        outcomes=outcomes,
        new_lesion_day=first_event(new_lesion_hazard(courses), courses.times, treatment.clocks[:, 1]),
    )


def sampled_baseline(known: KnownPatient, keys: Keys, streams: Streams) -> Baseline:
    """One row per sample: what is known as it is, the rest drawn as for the virtual population.

    The number of HLA alleles is not drawn (who is infused has one): NaN, for which the twin takes its card. Weight
    follows height, kidney function follows age and sex, the Child-Pugh score follows its parts.
    """
    overrides = {} if known.sex is None else {"baseline_male_share": float(known.sex == "male")}
    drawn = draw_baseline(PopulationPlan(country=np.full(len(keys), ""), overrides=overrides), keys, streams)
    samples = len(keys)
    numbers = {name: np.full(samples, float(value)) for name, value in known.numbers.items()}
    body_mass_index = drawn.weight / (drawn.height / CM_PER_M) ** 2
    age, height = numbers.get("age", drawn.age), numbers.get("height", drawn.height)
    values = {
        "hla_a0201p_alleles": np.full(samples, np.nan),
        "weight": body_mass_index * (height / CM_PER_M) ** 2,
        "egfr": egfr_ckd_epi_2021(drawn.creatinine, age, drawn.sex),
        **numbers,
    }
    if known.lesion_diameters:
        largest_first = sorted(known.lesion_diameters, reverse=True)
        lesions = np.full(drawn.lesion_diameters.shape, np.nan)
        lesions[:, : len(largest_first)] = largest_first
        values["lesion_diameters"] = lesions
    sampled = replace(drawn, **values)
    parts = ("bilirubin", "albumin", "inr", "ascites", "encephalopathy")
    return replace(sampled, child_pugh=child_pugh_score(*(getattr(sampled, name) for name in parts)))


def _as_planned(planned: PlannedTreatment) -> Protocol:
    """The protocol with the regimen and the modules that were chosen."""
    conditioning = planned.protocol.conditioning.model_copy(update={"in_force": planned.regimen})
    model = planned.protocol.model.model_copy(update={"modules": planned.modules})
    return planned.protocol.model_copy(update={"conditioning": conditioning, "model": model})


def shortest_follow_up() -> int:
    """Protocol day before which the follow-up of one patient may not end."""
    return protocol_day(int(card("one_patient_month").to("day")))


def longest_follow_up() -> int:
    """Protocol day up to which a treated course is computed."""
    return protocol_day(int(card("trial_followup").to("day")))


def most_samples() -> int:
    """How many samples of one patient may be asked for."""
    return int(card("one_patient_most_samples").number)


def most_lesions() -> int:
    """How many lesions the twin can hold."""
    return len(card("baseline_lesion_count_probabilities").numbers)


def free_priors(modules: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Symbols of the twin that no measurement sets and whose card has no source (S) or one from memory (M)."""
    known = twin_model(modules).parameters
    return tuple(
        symbol
        for symbol, name in CARD_OF.items()
        if symbol in known and symbol not in _SET_BY_THE_PATIENT and card(name).is_placeholder
    )


def _refuse(known: KnownPatient, planned: PlannedTreatment, samples: int) -> None:
    """Raise InputError with everything that cannot be meant."""
    faults = [*_faults_of_patient(known), *_faults_of_treatment(planned)]
    if not 1 <= samples <= most_samples():
        faults.append(Fault("samples", f"{samples} is outside the allowed range", f"write 1 to {most_samples()}"))
    if faults:
        raise InputError(faults)


def _faults_of_patient(known: KnownPatient) -> Iterator[Fault]:
    for name, value in known.numbers.items():
        if name in MEASURED:
            yield from fault_of(name, value, VARIABLES[name])
        else:
            yield Fault(name, "does not tie the twin to a patient", f"give some of {', '.join(MEASURED)}")
    sexes = VARIABLES["sex"]
    assert sexes.kind is VariableKind.CATEGORY
    if known.sex is not None and known.sex not in sexes.categories:
        yield Fault("sex", f"{known.sex!r} is not known", f"write {' or '.join(sexes.categories)}")
    for value in known.lesion_diameters:
        yield from fault_of("lesion", value, VARIABLES["largest_lesion"])
    if len(known.lesion_diameters) > most_lesions():
        found = f"{len(known.lesion_diameters)} lesions, more than the twin can hold"
        yield Fault("lesion", found, f"give the {most_lesions()} largest")


def _faults_of_treatment(planned: PlannedTreatment) -> Iterator[Fault]:
    if planned.protocol.model.own is not None:
        found = "brings a model of its own; one patient is followed with the twin of hepatocellular carcinoma only"
        yield Fault("protocol", found, "write one with 'twin: tcrt_core'")
    regimens = [one.name for one in planned.protocol.conditioning.regimens]
    if planned.regimen not in regimens:
        yield Fault("regimen", f"{planned.regimen!r} is not in the protocol", f"write one of {', '.join(regimens)}")
    yield from fault_of("dose", planned.cells, PRODUCT_VARIABLES["transduced_cells"])
    for name in ("memory_share", "copies_per_cell"):
        value = getattr(planned, name)
        if value is not None:
            yield from fault_of(name, value, PRODUCT_VARIABLES[name])
    try:
        twin_text(planned.modules)
    except InputError as error:
        yield from error.faults
    first, last = shortest_follow_up(), longest_follow_up()
    if not first <= planned.last_day <= last:
        yield Fault("until", f"Day {planned.last_day} is outside the allowed range", f"write {first} to {last}")


def fault_of(place: str, value: float, variable: Variable) -> Iterator[Fault]:
    """The fault of a value, in the unit of its variable, that cannot be meant; nothing if it can."""
    if not variable.may_be(value):
        shown = f"{value:g} {variable.unit}".removesuffix(" 1")
        whole = "a whole number, " if variable.whole else ""
        yield Fault(place, f"{shown} is outside the allowed range", f"write {whole}{variable.plausible_in_words}")
