"""What may be seen of a course: the roles that quantities of a model text can have, each with meaning and unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Role:
    """One thing seen of a course. Cells, copies and enzyme units are items of a model text, or pure numbers."""

    name: str
    meaning: str
    unit: str
    """in which the value is handed on"""


ROLES: Mapping[str, Role] = MappingProxyType(
    {
        name: Role(name=name, meaning=meaning, unit=unit)
        for name, unit, meaning in (
            ("transgene", "cell/ug", "transgene copies per weight of blood DNA"),
            ("infused_cells", "cell/uL", "infused cells in blood"),
            ("lymphocytes", "Gcell/L", "absolute lymphocyte count, own and infused"),
            ("neutrophils", "Gcell/L", "absolute neutrophil count"),
            ("platelets", "Gcell/L", "platelets"),
            ("il6", "pg/mL", "interleukin 6 in serum"),
            ("crp", "mg/L", "C-reactive protein in serum"),
            ("alt", "1/L", "alanine aminotransferase, enzyme units per litre"),
            ("marrow_blasts", "1", "share of lymphoblasts among nucleated cells of the marrow"),
            ("death_hazard", "1/day", "hazard of death, whatever its cause"),
            ("cytokine_death_hazard", "1/day", "the part of it that cytokine release adds"),
        )
    }
)

NEEDED_BY_ASSESSMENT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "laboratory": ("lymphocytes", "neutrophils", "platelets"),
        "transgene": ("transgene",),
        "cytokines": ("il6",),
        "marrow": ("marrow_blasts",),
    }
)
"""assessment of the protocol -> roles that a model text must fill for it; the others belong to the shipped twin"""
NEEDED_BY_TOXICITY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "death": ("death_hazard",),
        "crs": ("il6",),
        "icans": ("il6",),
        "liver_tests": ("alt",),
        "neutropenia": ("neutrophils",),
        "thrombocytopenia": ("platelets",),
    }
)
"""kind of dose-limiting event -> roles"""
NEEDED_BY_ENDPOINT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "overall_survival": ("death_hazard",),
        "progression_free_survival": ("death_hazard", "marrow_blasts"),
        "best_overall_response": ("marrow_blasts",),
        "objective_response_rate": ("marrow_blasts",),
        "overall_remission_rate": ("marrow_blasts",),
        "duration_of_response": ("marrow_blasts",),
        "cytokine_release_syndrome": ("il6",),
    }
)
"""endpoint -> roles"""
