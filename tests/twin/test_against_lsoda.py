"""The model text under CVODE against equations written again by hand under LSODA: check (h) of the twin."""

from itertools import pairwise

import numpy as np
import pytest
from house_patients import REGIMEN, treated, typical_latents
from scipy.integrate import solve_ivp

from graftline.twin import referral_state, run_courses

STATES = ["F", "Y", "L", "I", "G", "M", "E", "T", "X", "A", "N", "D", "P", "B", "Q", "C", "R", "J", "U", "H"]


def right_hand_side(p, rates):
    """d(states)/dt as the twin notes print them, written apart from the model text."""

    def slope(_, y):
        F, Y, L, I, G, M, E, T, X, A, N, D, P, B, Q, C, R, J, U, H = y  # noqa: E741
        V, S = A + N, M + E
        W = V + D
        fA, g = A / (V + p["eps"]), V / (V + p["KV"])
        lam = p["lam0"] * max(np.log(p["Vmax"] / (W + p["eps"])), 0)
        room = max(1 - S / p["Smax"], 0)
        excess = max(I - 1, 0)
        psi = excess**2 / (p["KI"] ** 2 + excess**2)
        om = p["kpF"] * F / (p["KF"] + F) + p["kpY"] * Y / (p["KY"] + Y)
        sig = p["s"] / (1 + p["s"])
        bT = sig * fA
        bC = sig * fA * g
        b = p["aM"] * bC * M * room
        K = p["kap"] * sig * T * A / (p["Vh"] + V + p["h"] * T)
        Kby = p["beta"] * K * N / (V + p["eps"])
        a = bC * (p["aM"] * M + p["aE"] * E) + p["aE"] * bT * T
        q = p["kO"] * sig * E * J
        arrive = p["kG"] * p["fE"] * G
        return [
            rates["F"] - p["kF"] * F,
            rates["Y"] - p["kY"] * Y,
            p["kL"] * (p["L0"] - L) + p["rL"] * psi * L - om * L,
            p["kI"] * ((1 + p["cI"]) - I * (1 + p["cI"] * (L / p["L0"] + p["zS"] * S / p["S0"]))),
            -(p["kG"] + om) * G,
            arrive * p["fM"] + p["rh"] * psi * room * M + (2 * p["r"] - 1) * b + p["eM"] * E - (p["dM"] + om) * M,
            arrive * (1 - p["fM"]) + p["rh"] * psi * room * E + (1 - p["r"]) * 2 ** p["n"] * b + p["kout"] * T
            - (p["mT"] * g + p["eM"] + p["dE"] + om) * E,
            p["mT"] * g * E + p["rho"] * bT * T * max(1 - T / p["Tmax"], 0)
            - (p["x"] * bT + p["kout"] + p["dT"] + om) * T,
            p["x"] * bT * T - p["dX"] * X,
            lam * A - K - p["mu"] * A,
            lam * N + p["mu"] * A - Kby,
            K + Kby - p["kclr"] * D,
            p["sP"] * (A + p["qN"] * N) - p["kP"] * P,
            p["kB"] * (a * (1 - Q) - B),
            p["kQ"] * a / (p["aQ"] + a) * (1 - Q) - p["kQr"] * Q,
            p["k6"] * p["C0"] + p["p6"] * g * B - p["k6"] * C,
            p["kR"] * (p["R0"] - R) + p["pR"] * max(C - p["C0"], 0) / (p["KR"] + C),
            p["kJ"] * (p["J0"] - J) - q,
            p["kU"] * (p["U0"] - U) + p["sU"] * K + p["sO"] * q,
            p["rH"] * (p["H0"] - H) - p["dH"] * K * H - p["dJ"] * q * H - p["dV"] * W / p["VL"] * H,
        ]  # fmt: skip

    return slope


def lsoda(latents, cells, days):
    """Segment by segment: each infusion of conditioning, then the cells at 0."""
    p = {symbol: float(values[0]) for symbol, values in latents.parameters.items()}
    concentration = {
        "fludarabine": ("F", 285 / 365, float(latents.fludarabine_volume[0])),
        "cyclophosphamide": ("Y", 1.0, float(latents.cyclophosphamide_volume[0])),
    }
    given = []
    for drug, day, dose, hours in REGIMEN:
        state, active, volume = concentration[drug]
        level = dose * float(latents.body_surface_area[0]) * (0.782 if active < 1 else 1) / volume
        given.append((state, day, day + hours / 24, level / (hours / 24)))
    edges = sorted({-7.0, *days, 0.0, *(one[1] for one in given), *(one[2] for one in given)})
    y = np.array([referral_state(latents).states[symbol][0] for symbol in STATES])
    seen = {}
    for begin, end in pairwise(edges):
        if begin == 0:
            seen[0.0] = y.copy()
            y[STATES.index("G")] += cells
        rates = {s: sum(one[3] for one in given if one[0] == s and one[1] <= begin < one[2]) for s in "FY"}
        y = solve_ivp(
            right_hand_side(p, rates), (begin, end), y, method="LSODA", rtol=1e-10, atol=1e-14
        ).y[:, -1]  # fmt: skip
        seen[end] = y.copy()
    seen[0.0][STATES.index("G")] = 0.0
    return np.array([seen[day] for day in days])


@pytest.mark.parametrize("cells", [0.5, 5.0])
def test_the_typical_patient_agrees_with_an_independent_encoding(cells):
    latents, days = typical_latents(), np.array([0.0, 28.0, 180.0])
    course = run_courses(treated(latents, cells=cells, relative_tolerance=1e-10), days)
    ours = np.stack([course.states[symbol][0] for symbol in STATES], axis=1)
    theirs = lsoda(latents, cells, days.tolist())
    scale = np.where(np.abs(theirs) > 1e-6, np.abs(theirs), np.inf)  # drugs and product long gone
    assert np.max(np.abs(ours - theirs) / scale) < 2e-6
