"""The simple peer: the twin's equations as a Python function under SciPy's LSODA, one patient at a time.

What a capable colleague would write in an afternoon. Symbols are those at the top of the twin's model text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from graftline.evidence import card
from graftline.twin import Latents, referral_state

Numbers = NDArray[np.float64]
STATES = ("F", "Y", "L", "I", "G", "M", "E", "T", "X", "A", "N", "D", "P", "B", "Q", "C", "R", "J", "U", "H")
HOURS_PER_DAY = 24.0


def right_hand_side(p: Mapping[str, float], rates: Mapping[str, float]) -> Callable[[float, Numbers], list[float]]:
    """d(states)/dt; `rates` are the infusions that run."""

    def slope(_: float, y: Numbers) -> list[float]:
        F, Y, L, I, G, M, E, T, X, A, N, D, P, B, Q, C, R, J, U, H = y.tolist()  # noqa: E741
        V, S = A + N, M + E
        W = V + D
        fA, g = A / (V + p["eps"]), V / (V + p["KV"])
        lam = p["mlam"] * p["lam0"] * max(np.log(p["Vmax"] / (W + p["eps"])), 0.0)
        room, excess = max(1 - S / p["Smax"], 0.0), max(I - 1, 0.0)
        psi = excess**2 / (p["KI"] ** 2 + excess**2)
        om = p["kpF"] * F / (p["KF"] + F) + p["kpY"] * Y / (p["KY"] + Y)
        sig = p["s"] / (1 + p["s"])
        bT = sig * fA
        bC = bT * g
        burst = p["aM"] * bC * M * room
        K = p["kap"] * sig * T * A / (p["Vh"] + V + p["h"] * T)
        Kby = p["beta"] * K * N / (V + p["eps"])
        a = bC * (p["aM"] * M + p["aE"] * E) + p["aE"] * bT * T
        q = p["kO"] * sig * E * J
        arrive = p["kG"] * p["fE"] * G
        homing = p["mT"] * g * E
        free = C / (1 + p["toci"])
        return [
            rates["F"] - p["kF"] * F,
            rates["Y"] - p["kY"] * Y,
            p["kL"] * (p["L0"] - L) + p["rL"] * psi * L - om * L,
            p["kI"] * ((1 + p["cI"]) - I * (1 + p["cI"] * (L / p["L0"] + p["zS"] * S / p["S0"]))),
            -(p["kG"] + om) * G,
            arrive * p["fM"] + p["rh"] * psi * room * M + (2 * p["r"] - 1) * burst + p["eM"] * E - (p["dM"] + om) * M,
            arrive * (1 - p["fM"])
            + p["rh"] * psi * room * E
            + (1 - p["r"]) * 2 ** p["n"] * burst
            + p["kout"] * T
            - homing
            - (p["eM"] + p["dE"] + om) * E,
            homing + p["rho"] * bT * T * max(1 - T / p["Tmax"], 0.0) - (p["x"] * bT + p["kout"] + p["dT"] + om) * T,
            p["x"] * bT * T - p["dX"] * X,
            lam * A - K - (p["mu"] + p["kS"]) * A,
            lam * N + p["mu"] * A - Kby - p["kS"] * N,
            K + Kby + p["kS"] * V - p["kclr"] * D,
            p["sP"] * (A + p["qN"] * N) - p["kP"] * P,
            p["kB"] * (a * (1 - Q) - B),
            p["kQ"] * a / (p["aQ"] + a) * (1 - Q) - p["kQr"] * Q,
            p["k6"] * p["C0"] + p["p6"] * g * B - p["k6"] * C / (1 + p["toci"]),
            p["kR"] * (p["R0"] - R) + p["pR"] * max(free - p["C0"], 0.0) / (p["KR"] + free),
            p["kJ"] * (p["J0"] - J) - q,
            p["kU"] * (p["U0"] - U) + p["sU"] * K + p["sO"] * q,
            p["rH"] * (p["H0"] - H) - p["dH"] * K * H - p["dJ"] * q * H - p["dV"] * W / p["VL"] * H,
        ]

    return slope


def solve_course(
    latents: Latents, patient: int, regimen: Sequence[tuple[str, int, float, float]], cells: float, days: Numbers
) -> Numbers:
    """Viable tumour volume in cm^3 on the days asked, from the first day of conditioning on; cells are given at 0."""
    p: dict[str, Any] = {symbol: float(values[patient]) for symbol, values in latents.parameters.items()}
    infusions = [_infusion(latents, patient, one) for one in regimen]
    edges = sorted({0.0, float(days[-1]), *(edge for one in infusions for edge in one[1:3])})
    start = referral_state(latents).states
    y = np.array([float(start[symbol][patient]) for symbol in STATES])
    tolerances = {name: card(f"twin_{name}_tolerance").number for name in ("relative", "absolute")}
    places: Numbers = np.empty(0)
    for begin, end in pairwise(edges):
        if begin == 0:
            y[STATES.index("G")] += cells
        rates = {
            symbol: sum(one[3] for one in infusions if one[0] == symbol and one[1] <= begin < one[2]) for symbol in "FY"
        }
        solved = solve_ivp(
            right_hand_side(p, rates),
            (begin, end),
            y,
            method="LSODA",
            rtol=tolerances["relative"],
            atol=tolerances["absolute"],
            t_eval=days if begin == 0 else None,
        )
        y, places = solved.y[:, -1], solved.y
    return np.asarray(places[STATES.index("A")] + places[STATES.index("N")])


def _infusion(latents: Latents, patient: int, one: tuple[str, int, float, float]) -> tuple[str, float, float, float]:
    """State, first and last model time, and rate of a conditioning infusion."""
    drug, day, dose, hours = one
    fludarabine = drug == "fludarabine"
    volume = (latents.fludarabine_volume if fludarabine else latents.cyclophosphamide_volume)[patient]
    active = card("twin_flu_active_share").number if fludarabine else 1.0
    length = hours / HOURS_PER_DAY
    rate = dose * float(latents.body_surface_area[patient]) * active / float(volume) / length
    return ("F" if fludarabine else "Y"), float(day), day + length, rate
