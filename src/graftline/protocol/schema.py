"""The protocol: what is tested, in whom, where, how the product is made, given and followed. One class per chapter."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from ._types import (
    CardFile,
    Cells,
    CellsPerWeight,
    Concentration,
    Copies,
    Count,
    CountOrZero,
    CountryCode,
    DailyDose,
    Day,
    Duration,
    HlaAllele,
    HlaGroup,
    HlaMolecule,
    ModelFile,
    Name,
    Part,
    PartError,
    PeopleRate,
    Peptide,
    PerTime,
    ProtocolDay,
    Share,
    SlotRate,
    Symbol,
    Text,
    Weight,
)
from .criteria import EligibilityCriterion

SCHEMA_VERSION = "graftline-protocol/1"


class ReceptorPotency(Part):
    """How strong the receptor is and how the twin turns that into a signal.

    Without `ec50` and `dissociation_rate` the receptor is taken as the reference one of the evidence cards.
    """

    form: Literal["monotone", "limited"] = "monotone"
    """monotone: in proportion to potency and density; limited: proofreading with limited signalling, where too firm a
    binding signals less"""
    ec50: Concentration | None = None
    """peptide of half recognition; excludes dissociation_rate, and belongs to the monotone form"""
    dissociation_rate: PerTime | None = None
    """of receptor and pMHC"""


class Receptor(Part):
    """The receptor that the cells carry and what it recognises."""

    name: Text
    kind: Literal["TCR", "CAR"] = "TCR"
    """TCR: sees a peptide on HLA; CAR: sees the target itself, and needs neither"""
    target: Text
    peptide: Peptide | None = None
    presented_by: HlaMolecule | None = None
    potency: ReceptorPotency = ReceptorPotency()

    @model_validator(mode="after")
    def _says_what_it_sees(self) -> Self:
        if self.kind == "TCR":
            slips = {key: f"{key!r} is missing; write '{key}: ...' here" for key in self._unsaid}
        else:
            said = [key for key in ("peptide", "presented_by") if key not in self._unsaid]
            slips = {key: f"a CAR sees {self.target} without HLA; take {key!r} out" for key in said}
        if slips:
            raise PartError(slips)
        return self

    @property
    def _unsaid(self) -> tuple[str, ...]:
        return tuple(key for key in ("peptide", "presented_by") if getattr(self, key) is None)


class HlaRule(Part):
    """Which HLA alleles make a patient eligible and which exclude."""

    required_group: HlaGroup
    required_alleles: tuple[HlaAllele, ...] = Field(min_length=1)
    excluded_alleles: tuple[HlaAllele, ...] = ()


class Receives(Part):
    """Which states of a model text doses go into; each in the unit that the text declares for it."""

    cells: Symbol
    """number of infused cells"""
    fludarabine: Symbol | None = None
    """mass of F-ara-A in the body"""
    cyclophosphamide: Symbol | None = None
    """mass in the body"""


class DiesOut(Part):
    """States that are empty together once fewer than this is left of them all."""

    states: tuple[Symbol, ...] = Field(min_length=1)
    below: Cells
    not_while: tuple[Symbol, ...] = ()
    """states that still feed the group while they are above zero"""


class OwnModel(Part):
    """A model of the virtual patient that comes with the protocol: an Antimony text, its numbers, what is what in it.

    The files lie beside the protocol file or come with the package. Every parameter of the text that has no number in
    it needs a card: its own, or one of the shipped evidence.
    """

    text: ModelFile
    """Antimony text, with a unit for every name"""
    cards: CardFile
    """evidence cards of the text: the name of a card is the symbol"""
    evidence: dict[Symbol, Name] = Field(default_factory=dict)
    """symbol -> shipped evidence card that holds its number"""
    patient: dict[Symbol, Name] = Field(default_factory=dict)
    """symbol -> variable measured at screening that it is; who was not measured is drawn around the card"""
    receives: Receives
    roles: dict[Name, Symbol] = Field(default_factory=dict)
    """what is seen of a course -> the symbol that holds it; what no role names cannot be assessed"""
    dies_out: tuple[DiesOut, ...] = ()


class Model(Part):
    """The mechanistic model of the virtual patient: a twin that comes with the package, or one's own."""

    twin: Literal["tcrt_core"] | None = None
    own: OwnModel | None = None
    """excludes twin and modules"""
    modules: tuple[Literal["marrow", "tocilizumab", "corticosteroid", "immunity", "second_product"], ...] = ()
    """what is added to the core: blood counts, drugs against cytokine release, immunity against the product, a second
    product; drugs and second product act where they are given, immunity as soon as it is listed"""


class Country(Part):
    """A country: population for HLA, and how long material travels to and from the plant."""

    code: CountryCode
    name: Text
    transit_to_plant: Duration
    transit_from_plant: Duration


class Site(Part):
    """A hospital that screens, collects and treats."""

    id: Name
    name: Text
    country: CountryCode
    opens: Day
    closes: Day | None = None
    screening_rate: PeopleRate


class Recruitment(Part):
    """When the trial opens, when it stops screening, how many it plans, when the data are cut."""

    opens: Day
    ends: Day
    """last day of screening"""
    last_infusion: Day
    """no cells are given after this day; who still waits then, waits at the end of the trial"""
    planned_enrolment: Count
    rate_variation: Share
    """coefficient of variation of the sites' true rates around those written (Poisson-gamma accrual)"""
    data_cutoff: Day


class ScreeningStep(Part):
    """One step of screening: what it measures and how long it takes. The steps are done in the order written."""

    name: Name
    stage: Literal["prescreening", "screening"]
    measures: tuple[str, ...] = Field(min_length=1)
    takes: Duration
    requires_consent: Literal["prescreening", "main"]


class Apheresis(Part):
    """Collection of white blood cells."""

    blood_volume_processed: Share
    """of the patient's blood volume"""
    minimum_cells: Cells
    """CD3+ cells below which the collection is not accepted"""
    max_procedures: Count
    after_eligibility: Duration
    """from eligibility to the first collection"""
    interval: Duration
    """from a collection that was not enough, or a failed batch, to the next collection"""
    hold_until_needed: bool
    """collected ahead of need: cells are kept until the cohort opens and the patient needs them"""


class ReleaseSpecification(Part):
    """What a product must show to leave the plant."""

    minimum_viability: Share
    minimum_cd3: Share
    minimum_transduced: Share
    maximum_copies: Copies
    sterility: Literal["required", "conditional"]
    sterility_takes: Duration
    identity_test: bool


class Manufacture(Part):
    """The plant that makes the product, and what happens when a batch fails."""

    plant: Text
    country: CountryCode
    slots: SlotRate
    turnaround: Duration
    """mean time from receipt at the plant to release"""
    turnaround_variation: Share
    """coefficient of variation of the turnaround"""
    release: ReleaseSpecification
    on_failure: tuple[Literal["remake", "reapheresis"], ...] = ()
    """what is tried, in this order"""
    max_attempts: Count
    shelf_life: Duration


class DrugDays(Part):
    """One drug of a regimen on its protocol days."""

    drug: Literal["fludarabine", "cyclophosphamide"]
    dose: DailyDose
    days: tuple[ProtocolDay, ...] = Field(min_length=1)
    infusion_time: Duration


class RenalAdjustment(Part):
    """Dose of fludarabine below a creatinine clearance."""

    below: Text
    fraction: Share


class Regimen(Part):
    """One conditioning (lymphodepletion) regimen."""

    name: Name
    drugs: tuple[DrugDays, ...] = Field(min_length=1)


class Conditioning(Part):
    """Chemotherapy before the cells; which regimen is in force changes by amendment."""

    regimens: tuple[Regimen, ...] = Field(min_length=1)
    in_force: Name
    fludarabine_by_renal_function: tuple[RenalAdjustment, ...] = ()


class DoseByWeight(Part):
    """The dose of patients up to a body weight, per kilogram."""

    up_to: Weight
    target: CellsPerWeight
    lowest: CellsPerWeight
    highest: CellsPerWeight


class DoseLevel(Part):
    """A dose level: target and the range in which a product is acceptable."""

    name: Name
    target: Cells
    lowest: Cells
    highest: Cells
    by_weight: DoseByWeight | None = None
    """patients up to a weight get a dose per kilogram instead"""


class Escalation(Part):
    """The dose-finding rule with its stagger."""

    design: Literal["modified_3_plus_3"]
    start_level: Name
    highest_level: Name
    cohort_size: Count
    expanded_cohort_size: Count
    lowest_level_may_escalate_after: Count
    """patients without dose-limiting toxicity that may suffice at the lowest level, by committee decision"""
    stagger_within_cohort: Duration
    stagger_between_cohorts: Duration
    committee_review: Duration


class Expansion(Part):
    """Patients treated after escalation, at the level found."""

    level: Name
    size: CountOrZero
    stagger: Duration


class SecondInfusion(Part):
    """Who may get a second infusion, and when."""

    allowed: bool
    earliest: ProtocolDay | None = None
    latest: ProtocolDay | None = None
    after_best_response: tuple[Literal["CR", "PR", "SD"], ...] = ()
    share_of_eligible: Share | None = None
    repeat_conditioning: bool = True


class Dosing(Part):
    """Dose levels and how they are climbed."""

    levels: tuple[DoseLevel, ...] = Field(min_length=1)
    escalation: Escalation | None = None
    """none: a single level, that of the expansion, from the first patient on"""
    expansion: Expansion
    second_infusion: SecondInfusion


class InfusionWindow(Part):
    """Days between the last chemotherapy and the infusion."""

    earliest_after_conditioning: Duration
    target_after_conditioning: Duration
    latest_after_conditioning: Duration
    outside: tuple[Literal["delay", "repeat_conditioning", "abandon"], ...] = Field(min_length=1)
    minimum_tocilizumab_doses: CountOrZero


class Scale(Part):
    """A grading scale and its version: ASTCT 2019 for CRS and ICANS, CTCAE 5.0 or 4.03 for adverse events."""

    name: Name
    version: Text


class ToxicityCriterion(Part):
    """One kind of event that is dose limiting: the grade, and how long it must last to count."""

    name: Name
    event: Literal["death", "crs", "icans", "non_haematological", "liver_tests", "neutropenia", "thrombocytopenia"]
    grade: int = Field(strict=True, ge=1, le=5)
    lasting: Duration | None = None
    """dose limiting only if it has not come down to `resolves_to` within this time"""
    resolves_to: int | None = Field(default=None, strict=True, ge=0, le=4)
    beyond_day: ProtocolDay | None = None
    """dose limiting only if present after this protocol day"""


class ToxicityWindow(Part):
    """First and last protocol day of observation for dose-limiting toxicity."""

    first_day: ProtocolDay
    last_day: ProtocolDay


class DoseLimitingToxicity(Part):
    """The protocol's definition of dose-limiting toxicity."""

    window: ToxicityWindow
    attribution: Literal["at_least_possible", "at_least_probable", "definite"]
    criteria: tuple[ToxicityCriterion, ...] = Field(min_length=1)
    excluded: tuple[Text, ...] = ()
    evaluable_set: Text
    evaluable_if: Literal["infused_and_observed", "infused_at_least_lowest_dose_and_observed"]
    replace_not_evaluable: bool


class Safety(Part):
    """Grading scales and dose-limiting toxicity."""

    crs_scale: Scale
    icans_scale: Scale
    adverse_event_scale: Scale
    dose_limiting_toxicity: DoseLimitingToxicity


class Assessment(Part):
    """One kind of assessment and its planned protocol days."""

    name: Literal["laboratory", "afp", "transgene", "cytokines", "imaging", "marrow", "vital_status"]
    days: tuple[ProtocolDay, ...] = Field(min_length=1)
    then_every: Duration | None = None
    until: ProtocolDay | None = None
    window: Duration
    """allowed days either side"""


class Remission(Part):
    """What counts as remission and as relapse of leukaemia, by the share of lymphoblasts in the marrow."""

    blasts_below: Share
    """remission, with or without recovery of blood counts (CR or CRi)"""
    relapse_at: Share
    """and above: relapse of a patient who was in remission"""


class ResponseRule(Part):
    """How response is judged."""

    criteria: Literal["RECIST 1.1", "marrow remission"]
    remission: Remission | None = None
    """needed for, and only for, marrow remission"""
    confirmation: Duration
    """a response must be seen again at least this long after it was first seen"""
    stable_disease_minimum: Duration
    """from infusion; a shorter stable disease is not evaluable"""


class Endpoint(Part):
    """An endpoint with the estimand's population, variable and time zero."""

    name: Literal[
        "dose_limiting_toxicity",
        "best_overall_response",
        "objective_response_rate",
        "overall_remission_rate",
        "disease_control_rate",
        "progression_free_survival",
        "overall_survival",
        "duration_of_response",
        "cytokine_release_syndrome",
    ]
    role: Literal["primary", "secondary", "exploratory"]
    population: Literal["consented", "apheresed", "infused", "dlt_evaluable"]
    time_zero: Literal["consent", "apheresis", "infusion", "first_response"]
    within: Duration | None = None
    """of the remission rate: time from time zero in which it counts"""


class Amendment(Part):
    """A dated change of the protocol. It takes effect at a site once approved there, for subjects who consent after."""

    id: Name
    date: Day
    summary: Text
    approval_lag: Duration
    """usual time from the amendment to a site's approval"""
    approvals: dict[str, Day] = Field(default_factory=dict)
    """site id -> day of approval, where known"""
    changes: dict[str, object] = Field(min_length=1)
    """path in this file -> new value, for example 'conditioning.in_force: flu30x4_cy600x3'"""


class Protocol(Part):
    """The whole protocol as it stands in one version."""

    graftline: Literal["graftline-protocol/1"]
    title: Text
    short_name: Name
    registry_id: Text
    version: Text
    version_date: Day
    sponsor: Text
    receptor: Receptor
    hla: HlaRule | None = None
    """needed for a TCR"""
    model: Model
    countries: tuple[Country, ...] = Field(min_length=1)
    sites: tuple[Site, ...] = Field(min_length=1)
    recruitment: Recruitment
    screening: tuple[ScreeningStep, ...] = Field(min_length=1)
    eligibility: tuple[EligibilityCriterion, ...] = Field(min_length=1)
    apheresis: Apheresis
    manufacture: Manufacture
    conditioning: Conditioning
    dosing: Dosing
    infusion: InfusionWindow
    safety: Safety
    assessments: tuple[Assessment, ...] = Field(min_length=1)
    response: ResponseRule
    endpoints: tuple[Endpoint, ...] = Field(min_length=1)
    comparators: tuple[Literal["no_cells"], ...] = ()
    amendments: tuple[Amendment, ...] = ()
