"""The model on which solvers are compared: 12 states of a TCR-T patient over a year, 48 parameters that all vary.

Illustrative numbers, not calibrated: lymphodepletion by two drugs on three days, cells on day 5, tumour with
and without antigen, AFP, IL-6. Fast (IL-6, hours) and slow (tumour, months) beside each other make it stiff.
"""

from __future__ import annotations

import numpy as np
from problem import Dose, Problem

FLOORS = {
    "F": 1e-3, "C": 1e-3, "L": 1e-3, "I": 1e-2, "E": 1e-3, "M": 1e-3, "X": 1e-3, "T": 1e-3, "A": 1e-3, "N": 1e-3,
    "P": 0.1, "S": 0.1,
}  # fmt: skip
"""state -> its smallest value that matters"""
STATES = tuple(FLOORS)
PARAMETERS = {
    "keF": (1.66, 0.3), "keC": (2.8, 0.3), "doseF": (1.0, 0.3), "doseC": (1.0, 0.3), "EmF": (1.2, 0.3),
    "ECF": (0.2, 0.3),
    "EmC": (1.5, 0.3), "ECC": (0.2, 0.3), "sL": (0.01, 0.4), "rL": (0.15, 0.4), "KI": (2.0, 0.3), "kI": (1.0, 0.3),
    "bI": (5.0, 0.3), "wT": (0.002, 0.4), "E0": (80.0, 0.6), "M0": (20.0, 0.6), "rE": (0.9, 0.4), "KA": (20.0, 0.5),
    "Emax": (2000.0, 0.5), "dE": (0.15, 0.3), "kEM": (0.03, 0.4), "kEX": (0.08, 0.5), "kME": (0.1, 0.5),
    "ktr": (0.3, 0.4),
    "Kv": (50.0, 0.4), "kbk": (0.05, 0.4), "dM": (0.005, 0.4), "rM": (0.01, 0.4), "dX": (0.05, 0.4), "fd": (0.5, 0.3),
    "rT": (0.4, 0.5), "Tmax": (1500.0, 0.5), "dT": (0.1, 0.4), "kTX": (0.1, 0.5), "A0": (120.0, 0.6), "fN": (0.1, 0.6),
    "aG": (0.003, 0.5), "KG": (3000.0, 0.3), "kk": (0.02, 0.6), "KK": (30.0, 0.5), "hT": (0.1, 0.4), "fb": (0.15, 0.5),
    "mu": (1e-4, 0.6), "sP": (1.16, 0.6), "keP": (0.139, 0.3), "qS": (200.0, 0.6), "keS": (8.0, 0.4), "S0": (5.0, 0.5),
}  # fmt: skip
"""parameter -> median, coefficient of variation between patients"""
RATES = {
    "F": "-keF*F",
    "C": "-keC*C",
    "L": "sL*(1 - L) + rL*L*(iE - 1/(KI + 1)) - dr*L",
    "I": "kI*(1 + bI - I*(1 + bI*(L + wT*(E + M))))",
    "E": "rE*Bn*iE*E*Emax/(Emax + E) + mem + kbk*T - (dE + kEM)*E - kEX*Bn*E - trf - fd*dr*E",
    "M": "kEM*E + rM*iE*M - dM*M - mem - fd*dr*M",
    "X": "kEX*Bn*E + kTX*Bn*T - dX*X",
    "T": "trf + rT*Bn*T*Tmax/(Tmax + T) - (kbk + dT)*T - kTX*Bn*T",
    "A": "grw*A - kil - mu*A",
    "N": "grw*N + mu*A - fb*kil*N/(A + N + 1e-6)",
    "P": "sP*A - keP*P",
    "S": "keS*S0 + qS*kil - keS*S",
}
HELPERS = {
    "dr": "EmF*F/(ECF + F) + EmC*C/(ECC + C)",
    "iE": "I/(KI + I)",
    "Bn": "A/(KA + A)",
    "trf": "ktr*(A + N)/(Kv + A + N)*E",
    "mem": "kME*Bn*M",
    "grw": "aG*ln(KG/(A + N + 1e-6))",
    "kil": "kk*T*A/(KK + A + hT*T)",
}
START = {"L": "1", "I": "1", "A": "A0", "N": "fN*A0", "P": "sP*A0/keP", "S": "S0"}
_CHEMOTHERAPY = {"F": "doseF", "C": "doseC"}
DOSES = {0.0: _CHEMOTHERAPY, 1.0: _CHEMOTHERAPY, 2.0: _CHEMOTHERAPY, 5.0: {"E": "E0", "M": "M0"}}
"""day -> state -> the parameter that is added to it"""
DAYS = np.concatenate([
    [0.25, 0.5, 0.9, 1.25, 1.5, 1.9, 2.25, 2.5, 3, 4, 4.9], [5.25, 5.5, 6, 6.5, 7, 7.5], np.arange(8, 23.0),
    np.arange(24, 36, 2.0), [38, 42, 49, 56, 63, 70, 77, 84], np.linspace(98, 365, 14),
])  # fmt: skip


def text() -> str:
    """The model as Antimony."""
    lines = [f"{name} := {formula}" for name, formula in HELPERS.items()]
    lines += [f"{name}' = {formula}" for name, formula in RATES.items()]
    lines += [f"{name} = {START.get(name, '0')}" for name in STATES]
    lines += [f"{name} = {median!r}" for name, (median, _) in PARAMETERS.items()]
    return "\n".join(lines)


def problem(patients: int, seed: int = 1, spread: float | None = None) -> Problem:
    """Patients with log-normal parameters; `spread` is one standard deviation of the logarithm for all of them."""
    rng = np.random.default_rng(seed)
    medians, variations = np.array(list(PARAMETERS.values())).T
    sigma = np.sqrt(np.log1p(variations**2)) if spread is None else np.full(len(medians), spread)
    table = medians * np.exp(sigma * rng.standard_normal((patients, len(medians))))
    parameters = dict(zip(PARAMETERS, table.T.copy(), strict=True))
    doses = [
        Dose(time=day, state=state, amount=parameters[dose])
        for day, given in DOSES.items()
        for state, dose in given.items()
    ]
    return Problem(
        name="study", text=text(), parameters=parameters, doses=tuple(doses), start=0.0, times=DAYS, floors=FLOORS
    )
