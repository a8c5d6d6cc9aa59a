"""The method: Rodas5P of G. Steinebach (BIT Numerical Mathematics 63:27, 2023, doi 10.1007/s10543-023-00967-x).

A Rosenbrock method with 8 stages, order 5, an embedded solution of order 4 and dense output of order 4, L-stable and
stiffly accurate. Numbers as published with the paper, in the transformed form that needs no product with the Jacobian:
with U_i the unknowns, (I / (h GAMMA) - J) U_i = f(t + c_i h, y + sum A_ij U_j) + sum C_ij U_j / h + h d_i df/dt.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GAMMA = 0.21193756319429014
STAGES = 8
A: tuple[tuple[float, ...], ...] = (
    (),
    (3.0,),
    (2.849394379747939, 0.45842242204463923),
    (-6.954028509809101, 2.489845061869568, -10.358996098473584),
    (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
    (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946),
)
"""Stage 7 starts where stage 6 did plus U_6, stage 8 where stage 7 did plus U_7; the result is that plus U_8, and U_8
is the error."""
C: tuple[tuple[float, ...], ...] = (
    (),
    (-14.155112264123755,),
    (-17.97296035885952, -2.859693295451294),
    (147.12150275711716, -1.41221402718213, 71.68940251302358),
    (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
    (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471),
    (30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783, -19.097331116725623, -28.087943162872662),
    (37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047, -40.06618937091002, -54.66780262877968, -9.48861652309627),
)  # fmt: skip
H: tuple[tuple[float, ...], ...] = (
    (25.948786856663858, -2.5579724845846235, 10.433815404888879, -2.3679251022685204, 0.524948541321073, 1.1241088310450404, 0.4272876194431874, -0.17202221070155493),
    (-9.91568850695171, -0.9689944594115154, 3.0438037242978453, -24.495224566215796, 20.176138334709044, 15.98066361424651, -6.789040303419874, -6.710236069923372),
    (11.419903575922262, 2.8879645146136994, 72.92137995996029, 80.12511834622643, -52.072871366152654, -59.78993625266729, -0.15582684282751913, 4.883087185713722),
)  # fmt: skip
"""Dense output: y(t + s h) = (1 - s) y0 + s y1 + s (1 - s) (K0 + s (K1 + s K2)) with K_m = sum H_mj U_j."""
ORDER = 5


def stage_times() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """c and d of each stage, which follow from A, C and GAMMA; the last three stages lie at the end of the step."""
    full = np.zeros((STAGES, STAGES))
    for stage in range(STAGES):
        row = A[min(stage, len(A) - 1)]
        full[stage, : len(row)] = row
        full[stage, len(A) - 1 : stage] = 1.0 if stage >= len(A) else 0.0
    lower = np.zeros((STAGES, STAGES))
    for stage, row in enumerate(C):
        lower[stage, : len(row)] = row
    gammas = np.linalg.inv(np.eye(STAGES) / GAMMA - lower)
    c, d = (full @ gammas).sum(axis=1), gammas.sum(axis=1)
    c[0], c[5:], d[5:] = 0.0, 1.0, 0.0
    return c, d
