"""The twin in our engine against equations written again by hand under LSODA: check (h) of the twin, modules too."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from house_patients import REGIMEN, supportive_for, treated, typical_latents
from scipy.integrate import solve_ivp

from graftline.twin import Infusion, SecondProduct, referral_state, run_courses

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


def right_hand_side_of_all(p, rates):
    """The same with tocilizumab, corticosteroid, immunity and a second product, written apart from the modules."""

    def slope(_, y):
        F, Y, L, I, G, M, E, T, X, A, N, D, P, B, Q, C, R, J, U, H, Toc, Dex, Z, G2, M2, E2, T2 = y  # noqa: E741
        V, W, S = A + N, A + N + D, M + E + M2 + E2
        fA, g = A / (V + p["eps"]), V / (V + p["KV"])
        lam = p["lam0"] * max(np.log(p["Vmax"] / (W + p["eps"])), 0)
        room, inside = max(1 - S / p["Smax"], 0), max(1 - (T + T2) / p["Tmax"], 0)
        excess = max(I - 1, 0)
        psi = excess**2 / (p["KI"] ** 2 + excess**2)
        steroid = Dex / (p["KDex"] + Dex)
        om = p["kpF"] * F / (p["KF"] + F) + p["kpY"] * Y / (p["KY"] + Y) + p["lDex"] * steroid
        toci = Toc / p["KToc"]
        pools = []
        killing = engaged = hit = exhausting = 0.0
        for g_, m_, e_, t_, s_, memory in ((G, M, E, T, p["s"], p["fM"]), (G2, M2, E2, T2, p["s2"], p["fM2"])):
            sig = s_ / (1 + s_)
            bT = sig * fA
            bC = bT * g
            b = p["aM"] * bC * m_ * room
            arrive = p["kG"] * p["fE"] * g_
            pools.append((
                -(p["kG"] + om) * g_,
                arrive * memory + p["rh"] * psi * room * m_ + (2 * p["r"] - 1) * b + p["eM"] * e_
                - (p["dM"] + om + Z) * m_,
                arrive * (1 - memory) + p["rh"] * psi * room * e_ + (1 - p["r"]) * 2 ** p["n"] * b + p["kout"] * t_
                - (p["mT"] * g + p["eM"] + p["dE"] + om + Z) * e_,
                p["mT"] * g * e_ + p["rho"] * bT * t_ * inside - (p["x"] * bT + p["kout"] + p["dT"] + om) * t_,
            ))  # fmt: skip
            killing += sig * t_
            engaged += bC * (p["aM"] * m_ + p["aE"] * e_) + p["aE"] * bT * t_
            hit += p["kO"] * sig * e_ * J
            exhausting += p["x"] * bT * t_
        K = p["kap"] * killing * A / (p["Vh"] + V + p["h"] * (T + T2))
        Kby = p["beta"] * K * N / (V + p["eps"])
        acting = C / (1 + toci)
        (dG, dM, dE, dT), second = pools
        return [
            rates["F"] - p["kF"] * F,
            rates["Y"] - p["kY"] * Y,
            p["kL"] * (p["L0"] - L) + p["rL"] * psi * L - om * L,
            p["kI"] * ((1 + p["cI"]) - I * (1 + p["cI"] * (L / p["L0"] + p["zS"] * S / p["S0"]))),
            dG, dM, dE, dT,
            exhausting - p["dX"] * X,
            lam * A - K - p["mu"] * A,
            lam * N + p["mu"] * A - Kby,
            K + Kby - p["kclr"] * D,
            p["sP"] * (A + p["qN"] * N) - p["kP"] * P,
            p["kB"] * (engaged * (1 - Q) * (1 - p["bDex"] * steroid) - B),
            p["kQ"] * engaged / (p["aQ"] + engaged) * (1 - Q) - p["kQr"] * Q,
            p["k6"] * p["C0"] + p["p6"] * g * B - p["k6"] * (acting + p["nToc"] * (C - acting)),
            p["kR"] * (p["R0"] - R) + p["pR"] * max(acting - p["C0"], 0) / (p["KR"] + acting),
            p["kJ"] * (p["J0"] - J) - hit,
            p["kU"] * (p["U0"] - U) + p["sU"] * K + p["sO"] * hit,
            p["rH"] * (p["H0"] - H) - p["dH"] * K * H - p["dJ"] * hit * H - p["dV"] * W / p["VL"] * H,
            rates["Toc"] - p["kToc"] * Toc - p["vToc"] * Toc / (p["mToc"] + Toc),
            rates["Dex"] - p["kDex"] * Dex,
            p["kZ"] * S * L / p["L0"] - p["dZ"] * Z,
            *second,
        ]  # fmt: skip

    return slope


def lsoda(latents, jumps, days, supportive=(), make=right_hand_side, names=STATES, **parameters):
    """Segment by segment: each infusion of a drug, and cells that jump in: (state, day, 1e9)."""
    p = {symbol: float(values[0]) for symbol, values in latents.parameters.items()} | parameters
    volumes = {
        "F": latents.fludarabine_volume, "Y": latents.cyclophosphamide_volume,
        "Toc": latents.tocilizumab_volume, "Dex": latents.corticosteroid_volume,
    }  # fmt: skip
    factor = {"F": 0.782 * float(latents.body_surface_area[0]), "Y": float(latents.body_surface_area[0])}
    state_of = {"fludarabine": "F", "cyclophosphamide": "Y", "tocilizumab": "Toc", "corticosteroid": "Dex"}
    given = []
    for drug, day, dose, hours in [*REGIMEN, *((drug, day, dose, hours) for drug, dose, day, hours in supportive)]:
        state = state_of[drug]
        level = dose * factor.get(state, 1.0) / float(volumes[state][0])
        given.append((state, day, day + hours / 24, level / (hours / 24)))
    edges = sorted({-7.0, *days, *(one[1] for one in jumps), *(one[1] for one in given), *(one[2] for one in given)})
    y = np.array([referral_state(latents).states[symbol][0] for symbol in names])
    seen = {}
    for begin, end in pairwise([*edges, edges[-1] + 1e-9]):
        seen[begin] = y.copy()
        for state, _, amount in (one for one in jumps if one[1] == begin):
            y[names.index(state)] += amount
        rates = {s: sum(one[3] for one in given if one[0] == s and one[1] <= begin < one[2]) for s in volumes}
        y = solve_ivp(make(p, rates), (begin, end), y, method="LSODA", rtol=1e-10, atol=1e-14).y[:, -1]
    return np.array([seen[day] for day in days])


def largest_difference(course, theirs, names):
    ours = np.stack([course.states[symbol][0] for symbol in names], axis=1)
    scale = np.where(np.abs(theirs) > 1e-6, np.abs(theirs), np.inf)  # drugs and product long gone
    return np.max(np.abs(ours - theirs) / scale)


@pytest.mark.parametrize("cells", [0.5, 5.0])
def test_the_typical_patient_agrees_with_an_independent_encoding(cells):
    latents, days = typical_latents(), np.array([0.0, 28.0, 180.0])
    course = run_courses(treated(latents, cells=cells, relative_tolerance=1e-10), days)
    theirs = lsoda(latents, [("G", 0.0, cells)], days.tolist())
    assert largest_difference(course, theirs, STATES) < 2e-6


def test_the_modules_agree_with_an_independent_encoding():
    """A treated cytokine storm, then another product on day 60, under immunity against both."""
    latents, days = typical_latents().changed(s=1.5), np.array([0.0, 3.0, 28.0, 61.0, 90.0, 180.0])
    drugs = [("tocilizumab", 600.0, 2.0, 1.0), ("corticosteroid", 10.0, 2.5, 0.5), ("corticosteroid", 10.0, 3.5, 0.5)]
    request = treated(
        latents, cells=5.0, relative_tolerance=1e-10, supportive=supportive_for(1, drugs),
        modules=("tocilizumab", "corticosteroid", "immunity", "second_product"),
        second=SecondProduct(memory_share=np.array([0.4]), strength=np.array([0.3])),
    )  # fmt: skip
    later = Infusion(cells=np.array([3.0]), time=np.array([60.0]), second_product=True)
    course = run_courses(replace(request, infusions=(*request.infusions, later)), days)
    names = [*STATES, "Toc", "Dex", "Z", "G2", "M2", "E2", "T2"]
    theirs = lsoda(
        latents, [("G", 0.0, 5.0), ("G2", 60.0, 3.0)], days.tolist(), drugs, right_hand_side_of_all, names,
        s2=1.5 * 0.3, fM2=0.4,
    )  # fmt: skip
    assert largest_difference(course, theirs, names) < 2e-6
