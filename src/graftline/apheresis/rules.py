"""Whether a collection is enough, whether there may be another, and how much blood a patient has. No chance."""

from __future__ import annotations

import numpy as np

from ..base.units import BILLION, CM_PER_M
from ..base.verdict import Verdict, Verdicts, check
from ..evidence import card
from ..protocol.schema import Apheresis
from ..records.baseline import Numbers, Words


def accept_collection(cd3_cells: Numbers, apheresis: Apheresis) -> Verdicts:
    """Whether each collection (1e9 CD3+ cells, NaN for not counted) reaches the protocol's minimum."""
    least = apheresis.minimum_cells.to("cells") / BILLION
    return Verdicts.from_test(cd3_cells >= least, ~np.isnan(cd3_cells), f"fewer CD3+ cells than {least:g}e9")


def may_collect_again(procedures_done: int, apheresis: Apheresis) -> Verdict:
    """Whether the protocol allows one more collection."""
    return check(
        procedures_done < apheresis.max_procedures, f"{apheresis.max_procedures} collections are the most allowed"
    )


def blood_volume_litres(sex: Words, height_cm: Numbers, weight_kg: Numbers) -> Numbers:
    """Blood volume in litres after Nadler 1962: cubed height in metres, weight and a constant, by sex."""
    height = height_cm / CM_PER_M
    volumes = []
    for name in ("male", "female"):
        per_cubed_metre, per_kg, constant = card(f"apheresis_nadler_{name}").numbers
        volumes.append(per_cubed_metre * height * height * height + per_kg * weight_kg + constant)
    return np.where(sex == "male", volumes[0], volumes[1])
