"""Who a simulated patient is in the data sets, and how responses are written."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..assessment import Response
from ..trial import Outcomes, Part, TreatedPatients


def identity_of(part: Part) -> NDArray[np.str_]:
    """USUBJID of every referred patient: site and k-th patient there."""
    sites = np.array([site.id for site in part.protocol.sites], dtype=np.str_)
    return np.array(
        [f"{sites[site]}-{kth + 1:04d}" for site, kth in zip(part.arrivals.site, part.arrivals.keys.kth, strict=True)],
        dtype=np.str_,
    )


def treated_identity(part: Part, treated: TreatedPatients) -> NDArray[np.str_]:
    """USUBJID of every treated patient, in the order of the courses."""
    return identity_of(part)[part.apheresed.referred[[ask.row for ask in treated.asks]]]


def response_labels() -> dict[int, str]:
    """CDISC terms of response codes."""
    return {int(response): response.label for response in Response}


def best_responses(outcomes: Outcomes) -> list[object]:
    """Confirmed best overall response of each patient; NE where nothing could be judged."""
    labels, known = response_labels(), ("CR", "PR", "SD", "PD")
    found = [labels[int(code)] for code in outcomes.seen.best_response]
    return [label if label in known else "NE" for label in found]
