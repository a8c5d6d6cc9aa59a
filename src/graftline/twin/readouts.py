"""What can be seen of a course: tumour on the scan, AFP, cells in blood, cytokine, liver, blood counts. No chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..base.errors import Fault, InputError
from ..base.units import MM_PER_CM, SPHERE_VOLUME_PER_CUBED_DIAMETER, PER_uL_PER_e9_L
from ..evidence import card
from .latents import Latents
from .parameters import number, numbers

Numbers = NDArray[np.float64]
GRAFT = ("G", "M", "E", "T", "X", "G2", "M2", "E2", "T2")
"""states of TCR-T cells; those of a second product only where its module is on"""


@dataclass(frozen=True, kw_only=True)
class Courses:
    """Solved courses of many patients; all read-outs are (patients, times), true values without assay error.

    NaN before a patient's own start and where solving failed (`status` not 0, with a message). Without the
    marrow module neutrophils and platelets stay at their resting values.
    """

    latents: Latents
    times: Numbers
    """model time in days, (times,) or (patients, times)"""
    states: Mapping[str, Numbers]
    """symbol -> (patients, times); names as in the model texts"""
    copies_per_cell: Numbers
    """vector copies per transduced cell, (patients,)"""
    second_copies_per_cell: Numbers
    """those of the second product, (patients,)"""
    status: NDArray[np.int64]
    messages: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.latents)

    def state(self, symbol: str) -> Numbers:
        """One state, round-off below zero read as zero."""
        return np.maximum(self.states[symbol], 0.0)

    def _together(self, *symbols: str) -> Numbers:
        """The sum of those states that the course has."""
        return np.asarray(sum(self.state(symbol) for symbol in symbols if symbol in self.states), dtype=np.float64)

    def parameter(self, symbol: str) -> Numbers:
        """One parameter, shaped (patients, 1) to go with read-outs."""
        return self.latents.parameters[symbol][:, None]

    @property
    def viable_volume(self) -> Numbers:
        """Living tumour, cm^3."""
        return self.state("A") + self.state("N")

    @property
    def scan_volume(self) -> Numbers:
        """Tumour on the scan, living and dying, cm^3."""
        return self.viable_volume + self.state("D")

    @property
    def antigen_positive_share(self) -> Numbers:
        """Share of the living tumour that shows the antigen; 0 where there is none."""
        viable = self.viable_volume
        return np.divide(self.state("A"), viable, out=np.zeros_like(viable), where=viable > 0)

    @property
    def afp(self) -> Numbers:
        """AFP in serum, ng/mL."""
        return self.state("P")

    @property
    def tcrt_in_body(self) -> Numbers:
        """All TCR-T cells, of both products, 1e9."""
        return self._together(*GRAFT)

    @property
    def tcrt_per_microlitre(self) -> Numbers:
        """TCR-T cells of both products per microlitre of blood."""
        return self._tcrt_per_litre * PER_uL_PER_e9_L

    @property
    def _tcrt_per_litre(self) -> Numbers:
        """1e9/L."""
        return self._together("M", "E", "M2", "E2") * (number("blood_share") / number("blood_volume"))

    @property
    def lymphocytes(self) -> Numbers:
        """Absolute lymphocyte count, own and infused, 1e9/L."""
        return self.state("L") + self._tcrt_per_litre

    @property
    def neutrophils(self) -> Numbers:
        """Absolute neutrophil count, 1e9/L."""
        return self._count("ANC")

    @property
    def platelets(self) -> Numbers:
        """Platelets, 1e9/L."""
        return self._count("PLT")

    def _count(self, symbol: str) -> Numbers:
        if symbol in self.states:
            return self.state(symbol)
        return np.where(np.isnan(self.states["A"]), np.nan, self.parameter(f"{symbol}0"))

    @property
    def copies_per_ug(self) -> Numbers:
        """Transgene copies per microgram of blood DNA; rises when other nucleated cells are depleted."""
        nucleated = self.neutrophils + number("monocytes") * self.lymphocytes
        share = self._tcrt_per_litre / np.maximum(nucleated, np.finfo(float).tiny)
        return self._copies_in_blood * number("genomes_per_ug") * share

    @property
    def _copies_in_blood(self) -> Numbers:
        """Vector copies per TCR-T cell in blood, (patients, times) or (patients, 1): of two products the mean."""
        first, second = self.copies_per_cell[:, None], self.second_copies_per_cell[:, None]
        if "M2" not in self.states:
            return first
        of_second, all_cells = self._together("M2", "E2"), self._together("M", "E", "M2", "E2")
        share = np.divide(of_second, all_cells, out=np.zeros_like(all_cells), where=all_cells > 0)
        return np.where(share == 0, first, first + (second - first) * share)

    @property
    def il6(self) -> Numbers:
        """IL-6 in serum, pg/mL."""
        return self.state("C")

    @property
    def il6_effect(self) -> Numbers:
        """IL-6 that still acts under tocilizumab, pg/mL."""
        return self.il6 / (1 + self.tocilizumab_ratio)

    @property
    def tocilizumab_ratio(self) -> Numbers:
        """Tocilizumab over its inhibition constant; (patients, 1) where the module is off."""
        return self.state("Toc") / self.parameter("KToc") if "Toc" in self.states else self.parameter("toci")

    @property
    def temperature(self) -> Numbers:
        """Body temperature in degrees Celsius: a placeholder link, no source gives temperature by IL-6.

        At rest until the effect of IL-6 exceeds its own level at rest; then it rises with its logarithm, so that 38
        degrees are reached where the cards have the onset of cytokine release syndrome.
        """
        rest, level = number("temperature"), self.parameter("C0")
        onset = card("crs_il6_onset").to("pg/mL")
        rise = np.log(np.maximum(self.il6_effect / level, 1.0)) / np.log(onset / level)
        return np.asarray(rest + (card("astct_fever").number - rest) * rise, dtype=np.float64)

    @property
    def fever(self) -> Numbers:
        """1 where the effect of IL-6 has reached the onset of CRS (a placeholder link), else 0."""
        level = self.il6_effect
        return np.where(np.isnan(level), np.nan, level >= card("crs_il6_onset").to("pg/mL"))

    @property
    def crp(self) -> Numbers:
        """C-reactive protein, mg/L."""
        return self.state("R")

    @property
    def alt(self) -> Numbers:
        """Alanine aminotransferase, U/L."""
        return self.state("U")

    @property
    def reserve_ratio(self) -> Numbers:
        """Functional liver reserve over that at referral (can exceed 1 when the tumour shrinks)."""
        parameters = self.latents.parameters
        loss = parameters["dV"] * parameters["V0"] / parameters["VL"]
        referral = parameters["rH"] * parameters["H0"] / (parameters["rH"] + loss)
        return self.state("H") / referral[:, None]

    @property
    def bilirubin(self) -> Numbers:
        """umol/L."""
        return self.latents.bilirubin[:, None] * self._reserve_to(-number("qb"))

    @property
    def albumin(self) -> Numbers:
        """g/L."""
        return self.latents.albumin[:, None] * self._reserve_to(number("qa"))

    @property
    def inr(self) -> Numbers:
        """International normalised ratio of the prothrombin time."""
        return self.latents.inr[:, None] * self._reserve_to(-number("qi"))

    def _reserve_to(self, power: float) -> Numbers:
        return np.asarray(np.maximum(self.reserve_ratio, np.finfo(float).eps) ** power, dtype=np.float64)

    @property
    def child_pugh(self) -> Numbers:
        """Child-Pugh score with ascites and encephalopathy as at referral (no jump on decompensation)."""
        return self.child_pugh_with(self.latents.ascites[:, None])

    def child_pugh_with(self, ascites: Numbers) -> Numbers:
        """Child-Pugh score for ascites (0, 1 or 2) that broadcasts to (patients, times)."""
        albumin = self.albumin
        two, three = numbers("child_pugh_albumin")
        points = _above(self.bilirubin, numbers("child_pugh_bilirubin")) + _above(self.inr, numbers("child_pugh_inr"))
        points += (albumin <= two).astype(np.float64) + (albumin < three)
        score = number("child_pugh_lowest") + points + ascites + self.latents.encephalopathy[:, None]
        return np.where(np.isnan(albumin), np.nan, score)

    def lesion_volumes(self, viable: bool = False) -> Numbers:
        """cm^3 per lesion, (patients, times, lesions), on the scan or living only; NaN where there is no lesion."""
        volume = self.viable_volume if viable else self.scan_volume
        return volume[:, :, None] * self.latents.lesion_shares[:, None, :]

    @property
    def lesion_diameters(self) -> Numbers:
        """mm per lesion on the scan, (patients, times, lesions), each as a sphere; NaN where there is no lesion."""
        cubed = self.lesion_volumes() / SPHERE_VOLUME_PER_CUBED_DIAMETER
        return np.asarray(MM_PER_CM * np.cbrt(cubed), dtype=np.float64)

    @property
    def sum_of_diameters(self) -> Numbers:
        """Sum of the diameters of all lesions on the scan, mm."""
        volumes = self.scan_volume
        return np.where(np.isnan(volumes), np.nan, np.nansum(self.lesion_diameters, axis=2))

    def shows(self, role: str) -> bool:
        """Whether the twin tells what is seen under this role (`graftline.protocol.roles`)."""
        return role in _SEEN

    def seen(self, role: str) -> Numbers:
        """What is seen under a role, in the role's unit, (patients, times); raises InputError if the twin has none."""
        if role not in _SEEN:
            raise InputError(Fault(f"role {role}", "tcrt_core does not tell it", f"ask for one of {', '.join(_SEEN)}"))
        return np.asarray(getattr(self, _SEEN[role]), dtype=np.float64)

    def state_at(self, day: Numbers | float) -> CourseState:
        """All states of each patient at a model time, linear between output times (exact at an output time).

        Raises ValueError if a day lies outside the output times.
        """
        days = np.broadcast_to(np.asarray(day, dtype=np.float64), (len(self),))
        times = np.broadcast_to(self.times, (len(self), self.times.shape[-1]))
        if np.any(days < times[:, 0]) or np.any(days > times[:, -1]):
            raise ValueError("a day outside the output times of the course")
        after = np.clip((times < days[:, None]).sum(axis=1), 1, times.shape[1] - 1) if times.shape[1] > 1 else 0
        rows = np.arange(len(self))
        before = np.maximum(after - 1, 0)
        gap = np.maximum(times[rows, after] - times[rows, before], np.finfo(float).tiny)
        weight = (days - times[rows, before]) / gap
        return CourseState(
            {
                symbol: _between(values[rows, before], values[rows, after], weight)
                for symbol, values in self.states.items()
            }
        )


_SEEN = MappingProxyType(
    {"transgene": "copies_per_ug", "infused_cells": "tcrt_per_microlitre"}
    | {name: name for name in ("lymphocytes", "neutrophils", "platelets", "il6", "crp", "alt")}
)
"""role -> read-out of the twin; hazards of the twin need more than a course and are no read-outs"""


@dataclass(frozen=True)
class CourseState:
    """All states of each patient at one moment: symbol -> (patients,)."""

    states: Mapping[str, Numbers]

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> CourseState:
        """The patients at these places (indices or a mask)."""
        return CourseState({symbol: values[index] for symbol, values in self.states.items()})


def _between(before: Numbers, after: Numbers, weight: Numbers) -> Numbers:
    """Linear between two values; the ends exactly, also where the other end is NaN; never below zero."""
    inner = before + weight * (after - before)
    return np.maximum(np.where(weight == 0, before, np.where(weight == 1, after, inner)), 0.0)


def _above(values: Numbers, limits: tuple[float, ...]) -> Numbers:
    """Points: 0 below the first limit, 1 from it to the second, 2 above the second."""
    first, second = limits
    return (values >= first).astype(np.float64) + (values > second)
