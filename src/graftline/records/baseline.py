"""The state of patients at referral: one record for a real patient, long arrays for a virtual population."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Words = NDArray[np.str_]


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """Patients with advanced hepatocellular carcinoma at referral; every field is an array over patients.

    Field names are those of `records.variables`, so that an eligibility criterion finds its variable by name; the unit
    of each is given there. Missing numbers are NaN. One real patient is the case of length one.
    """

    age: Numbers
    sex: Words
    aetiology: Words
    ecog: Numbers
    bilirubin: Numbers
    albumin: Numbers
    inr: Numbers
    ascites: Numbers
    encephalopathy: Numbers
    child_pugh: Numbers
    bclc: Words
    macrovascular_invasion: Flags
    extrahepatic_spread: Flags
    lesion_diameters: Numbers
    """mm, shape (patients, 5), NaN where there is no such lesion; largest first"""
    afp_serum: Numbers
    afp_secretor: Flags
    """latent: whether the tumour secretes AFP at all"""
    afp_tumour_ihc: Numbers
    afp_nontumour_ihc: Numbers
    hla_a: Words
    """shape (patients, 2), two-field alleles such as 'A*02:01'"""
    hla_a0201p_alleles: Numbers
    hla_excluded_allele: Flags
    lymphocytes: Numbers
    neutrophils: Numbers
    platelets: Numbers
    haemoglobin: Numbers
    creatinine: Numbers
    egfr: Numbers
    alt: Numbers
    ast: Numbers
    crp: Numbers
    weight: Numbers
    height: Numbers
    prior_lines: Numbers
    progressed_on_systemic: Flags
    intolerant_of_systemic: Flags
    refuses_systemic: Flags
    resectable_or_transplantable: Flags
    life_expectancy: Numbers

    def __post_init__(self) -> None:
        lengths = {field.name: len(getattr(self, field.name)) for field in fields(self)}
        assert len(set(lengths.values())) == 1, f"every field needs one row per patient, got {lengths}"

    def __len__(self) -> int:
        return len(self.age)

    @property
    def lesion_count(self) -> Numbers:
        """Number of lesions, (patients,)."""
        return np.asarray(np.sum(~np.isnan(self.lesion_diameters), axis=1), dtype=np.float64)

    @property
    def largest_lesion(self) -> Numbers:
        """Diameter of the largest lesion in mm, (patients,)."""
        return np.asarray(self.lesion_diameters[:, 0], dtype=np.float64)

    @property
    def sum_of_diameters(self) -> Numbers:
        """Sum of the lesion diameters in mm, (patients,)."""
        return np.asarray(np.nansum(self.lesion_diameters, axis=1), dtype=np.float64)

    @property
    def measurable_disease(self) -> Flags:
        """Whether there is any measurable lesion, (patients,)."""
        return self.lesion_count > 0

    @property
    def body_surface_area(self) -> Numbers:
        """Body surface area in m^2 after Mosteller (N Engl J Med 1987;317:1098), (patients,)."""
        return np.asarray(np.sqrt(self.weight * self.height / MOSTELLER_DIVISOR), dtype=np.float64)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Self:
        """The patients at these places (indices or a mask)."""
        return type(self)(**{field.name: getattr(self, field.name)[index] for field in fields(self)})

    def replaced(self, index: NDArray[np.intp], others: Self) -> Self:
        """The same patients, with others in these places."""
        columns = {field.name: getattr(self, field.name).copy() for field in fields(self)}
        for name, column in columns.items():
            column[index] = getattr(others, name)
        return type(self)(**columns)


MOSTELLER_DIVISOR = 3600  # kg times cm per m^4, a definition
