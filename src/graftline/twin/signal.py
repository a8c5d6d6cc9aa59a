"""How strongly one T cell is signalled: antigen density, HLA dose and receptor, by one of two forms. No chance.

The strength s gives the signal s / (1 + s) of the twin. Both forms are a factor on the strength of the reference
receptor at the reference density on one allele, whose size (the card ``twin_pot0``) nobody has measured.

- *monotone*: in proportion to density, alleles and potency. Potency is either the measured EC50 of the receptor, or,
  where none is measured, the survival of kinetic proofreading at its dissociation rate; never both, for both say the
  same.
- *limited*: kinetic proofreading with limited signalling (Lever 2014, as in popellab/qspio TCR_KPR_module.m): too firm
  a binding signals less. Binding of ligands by receptors is the exact quadratic one, so few ligands and many differ.

Published affinity ceilings disagree 25-fold, so the protocol names the form and neither is hidden.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..protocol.schema import Receptor
from .parameters import number

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Potency:
    """What is known of a receptor: its EC50 in ng/mL of peptide, or its dissociation rate in 1/s.

    Neither stands for the reference receptor; both at once are refused.
    """

    form: str = "monotone"
    """'monotone' or 'limited'"""
    ec50: float | None = None
    dissociation_rate: float | None = None

    def __post_init__(self) -> None:
        assert self.ec50 is None or self.dissociation_rate is None, "EC50 or dissociation rate, never both"
        assert self.form == "monotone" or (self.form == "limited" and self.ec50 is None), f"no such form: {self}"

    @classmethod
    def of(cls, receptor: Receptor) -> Self:
        """As the protocol says."""
        known = receptor.potency
        return cls(
            form=known.form,
            ec50=None if known.ec50 is None else known.ec50.to("ng/mL"),
            dissociation_rate=None if known.dissociation_rate is None else known.dissociation_rate.to("1/s"),
        )


REFERENCE = Potency()
"""the receptor of the evidence cards"""


def proofreading_survival(dissociation_rate: ArrayLike) -> Numbers:
    """Chance that a binding lasts through kinetic proofreading, 0 to 1, from the dissociation rate in 1/s.

    (1 + rate * delay / steps)^-steps with the delay and steps that Pettmann 2021 fitted (2.8 s, 2.67).
    """
    steps = number("proofreading_steps")
    return np.asarray((1 + np.asarray(dissociation_rate) * number("proofreading_delay") / steps) ** -steps)


def bound_ligands(ligands: ArrayLike, receptors: ArrayLike, dissociation: ArrayLike) -> Numbers:
    """Complexes between ligands and receptors on two cells at equilibrium, all as molecules per cell."""
    free, other = np.asarray(ligands, dtype=np.float64), np.asarray(receptors, dtype=np.float64)
    total = free + other + np.asarray(dissociation)
    return np.asarray(2 * free * other / (total + np.sqrt(total**2 - (free + free) * (other + other))))


def limited_signal(ligands: ArrayLike, dissociation_rate: ArrayLike) -> Numbers:
    """Signal by proofreading with limited signalling, in signalling complexes per cell.

    `ligands` are pMHC per cell, the rate is in 1/s. The other numbers are those of the qspio example: 10 steps at 1/s,
    signalling that stops at 0.09 1/s, 15 708 receptors, association 3.18e-5 per molecule per s.
    """
    off = np.asarray(dissociation_rate, dtype=np.float64)
    step = number("limited_step_rate")
    bound = bound_ligands(ligands, number("limited_receptors"), off / number("limited_association_rate"))
    survives = (step / (step + off)) ** number("limited_steps")
    return np.asarray(bound * survives * off / (off + number("limited_stop_rate")))


def relative_strength(potency: Potency, alleles: Numbers, density: ArrayLike = 1.0) -> Numbers:
    """Strength over that of the reference receptor at the reference density on one allele, (patients,).

    `alleles` is the number of presenting HLA alleles (0, 1, 2), `density` pMHC per antigen-positive cell and allele
    over the reference.
    """
    dose = np.asarray(density, dtype=np.float64) * alleles
    reference = number("reference_dissociation_rate")
    off = reference if potency.dissociation_rate is None else potency.dissociation_rate
    if potency.form == "limited":
        ligands = number("limited_ligands")
        return np.asarray(limited_signal(ligands * dose, off) / limited_signal(ligands, reference), dtype=np.float64)
    if potency.ec50 is not None:
        return np.asarray(dose * (number("reference_ec50") / potency.ec50), dtype=np.float64)
    if potency.dissociation_rate is None:
        return dose
    return np.asarray(dose * (proofreading_survival(off) / proofreading_survival(reference)), dtype=np.float64)
