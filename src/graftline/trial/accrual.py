"""Who is referred where and when: Poisson-gamma accrual over sites, each with its own streams."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from ..base.clock import day_number
from ..base.streams import Keys, Streams, site_key
from ..protocol.schema import Protocol, Site

Days = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """Patients who enter pre-screening, all replicates in one table; arrays are (patients,)."""

    keys: Keys
    site: NDArray[np.int64]
    """place of the site in the protocol's list"""
    day: Days
    """calendar day number"""

    def __len__(self) -> int:
        return len(self.day)


def draw_arrivals(protocol: Protocol, replicates: NDArray[np.int64], streams: Streams) -> Arrivals:
    """Every patient of these replicates, by replicate, key of the site and k-th patient there.

    A site's true rate is gamma distributed around the rate written in the protocol with the variation written there;
    given the rate, patients come as a Poisson process while site and recruitment are open. A rate of zero brings none.
    """
    parts = [_at_site(protocol, place, site, replicates, streams) for place, site in enumerate(protocol.sites)]
    keys = Keys(
        np.concatenate([part.keys.replicate for part in parts]),
        np.concatenate([part.keys.site for part in parts]),
        np.concatenate([part.keys.kth for part in parts]),
    )
    order = np.lexsort((keys.kth, keys.site, keys.replicate))  # not the order of sites in the file
    return Arrivals(
        keys=keys.take(order),
        site=np.concatenate([part.site for part in parts])[order],
        day=np.concatenate([part.day for part in parts])[order],
    )


def open_days(protocol: Protocol, site: Site) -> tuple[int, int]:
    """First and last calendar day on which the site screens; the last is before the first if it never does."""
    first = max(day_number(site.opens), day_number(protocol.recruitment.opens))
    last = day_number(protocol.recruitment.ends)
    return first, last if site.closes is None else min(last, day_number(site.closes))


def _at_site(protocol: Protocol, place: int, site: Site, replicates: NDArray[np.int64], streams: Streams) -> Arrivals:
    first, last = open_days(protocol, site)
    written = site.screening_rate.to("people/day")
    rate = written * _frailty(protocol, Keys.of(replicates, site_key(site.id), 0), streams)
    longest = float(rate.max(initial=0.0)) * max(last - first + 1, 0)
    kth = np.arange(1 + int(np.ceil(2 * longest)))
    while True:
        days = first + _waits(site, replicates, kth, streams, rate)
        if last < first or longest == 0 or np.all(days[:, -1] > last):
            break
        kth = np.arange(2 * len(kth))
    row, k = np.nonzero(days <= last) if longest > 0 else (np.empty(0, dtype=np.intp),) * 2
    return Arrivals(
        keys=Keys.of(replicates[row], site_key(site.id), k),
        site=np.full(len(row), place, dtype=np.int64),
        day=np.floor(days[row, k]).astype(np.int64),
    )


def _frailty(protocol: Protocol, keys: Keys, streams: Streams) -> NDArray[np.float64]:
    """The site's factor on its rate: gamma with mean 1."""
    variation = protocol.recruitment.rate_variation.to("1")
    if variation == 0:
        return np.ones(len(keys))
    shape = 1 / variation**2
    drawn = streams.named("accrual", "rate").uniform(keys)[:, 0]
    return np.asarray(gammaincinv(shape, drawn) / shape, dtype=np.float64)


def _waits(
    site: Site, replicates: NDArray[np.int64], kth: NDArray[np.int64], streams: Streams, rate: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Days from opening to each arrival, (replicates, k)."""
    keys = Keys.of(np.repeat(replicates, len(kth)), site_key(site.id), np.tile(kth, len(replicates)))
    gaps = streams.named("accrual", "gap").exponential(keys)[:, 0].reshape(len(replicates), len(kth))
    with np.errstate(divide="ignore"):
        return np.asarray(np.cumsum(gaps, axis=1) / rate[:, None], dtype=np.float64)
