"""A made-up results folder, as a simulation writes it, small enough to draw quickly."""

import json

import numpy as np
import polars as pl
import pytest

_REASONS = ["HLA type", "AFP too low", "Child-Pugh", "died while screening", "consent withdrawn"]
_SCHEMAS = {
    "adtr": {"REPLICATE": pl.Int64, "USUBJID": pl.String, "ADY": pl.Int64, "AVAL": pl.Float64, "PCHG": pl.Float64},
    "adrs": {"REPLICATE": pl.Int64, "USUBJID": pl.String, "ADY": pl.Int64, "AVALC": pl.String},
}


def _subjects(replicates, infused, draw):
    rows = []
    for replicate in range(replicates):
        for k in range(60):
            treated, apheresed = k < infused, k < infused + 6
            head = {
                "REPLICATE": replicate,
                "USUBJID": f"S{k % 4}-{k:04d}",
                "LEUKFL": apheresed,
                "TRTFL": treated,
                "DISPO": "infused" if treated else "apheresed, not infused" if apheresed else "screen failure",
                "DCREAS": "" if treated else "progressed" if apheresed else _REASONS[k % len(_REASONS)],
                "OSLKDY": int(draw.integers(20, 700)) if apheresed else None,
                "OSLKEV": bool(draw.random() < 0.7) if apheresed else None,
            }
            rows.append(head | _treated(k, treated, draw))
    return pl.DataFrame(rows, infer_schema_length=None)


def _treated(k, treated, draw):
    names = ["TRTSDT", "TRT01A", "DOSE", "ORDER", "BOR", "BORN", "CRSGR", "DLTFL", "SECFL", "ANCGR", "PLTGR", "LYMGR"]
    names += [f"{name}{suffix}" for name in ("PFSDY", "PFSEV", "OSDY", "OSEV") for suffix in ("", "N")]
    if not treated:
        return dict.fromkeys(names)
    level = min(k // 3, 3)
    last = int(draw.integers(60, 700))
    return {
        "TRTSDT": 6800 + 60 * k,
        "TRT01A": ("cohort 1", "cohort 2", "cohort 3", "expansion")[level],
        "DOSE": (0.1, 1.0, 5.0, 9.3)[level],
        "ORDER": k + 1,
        "BOR": str(draw.choice(["CR", "PR", "SD", "SD", "PD", "NE"])),
        "BORN": str(draw.choice(["SD", "PD", "PD"])),
        "CRSGR": int(draw.choice([0, 0, 0, 1, 2, 4])),
        "DLTFL": [False, False, True, None][int(draw.integers(0, 4))],
        "SECFL": bool(draw.random() < 0.1),
        "ANCGR": int(draw.integers(2, 5)),
        "PLTGR": int(draw.integers(0, 5)),
        "LYMGR": 4,
        "PFSDY": last // 2,
        "PFSEV": bool(draw.random() < 0.9),
        "PFSDYN": last // 3,
        "PFSEVN": True,
        "OSDY": last,
        "OSEV": bool(draw.random() < 0.7),
        "OSDYN": last // 2,
        "OSEVN": True,
    }


def _scans(subjects, draw):
    scans, responses = [], []
    for person in subjects.filter(pl.col("TRTFL")).to_dicts():
        head = {"REPLICATE": person["REPLICATE"], "USUBJID": person["USUBJID"]}
        change = 0.0
        for day in (29, 57, 85, 113, 169):
            if day > person["OSDY"]:
                break
            change = max(change + float(draw.normal(2, 15)), -100.0)
            scans.append({**head, "ADY": day, "AVAL": 80 * (1 + change / 100), "PCHG": change})
            state = "PR" if change < -30 else "PD" if change > 20 else "SD"
            responses.append({**head, "ADY": day, "AVALC": state})
    return pl.DataFrame(scans, schema=_SCHEMAS["adtr"]), pl.DataFrame(responses, schema=_SCHEMAS["adrs"])


def _bands():
    middle = {"AFP": 900.0, "TRANSGENE": 20000.0, "TUMOUR": 90.0}
    rows = []
    for code, centre in middle.items():
        for arm, pull in (("cells", -0.002), ("no cells", 0.002)):
            for day in range(1, 170, 7):
                now = centre * np.exp(pull * day) * (0.0 if code == "TRANSGENE" and arm == "no cells" else 1.0)
                shares = {"P05": 0.1, "P25": 0.5, "P50": 1.0, "P75": 1.6, "P95": 4.0}
                rows.append({"PARAMCD": code, "ARM": arm, "ADY": day} | {k: now * v for k, v in shares.items()})
    return pl.DataFrame(rows)


def replicate_table(subjects):
    """Counts of each replicate."""
    treated = pl.col("TRTFL")
    days = pl.col("TRTSDT").cast(pl.Int64)
    order = pl.col("ORDER").cast(pl.Int64)
    return (
        subjects.group_by("REPLICATE")
        .agg(
            pl.len().alias("SCREENED"),
            pl.col("LEUKFL").sum().alias("APHERESED"),
            treated.sum().alias("INFUSED"),
            *[(treated & (pl.col("BOR") == code)).sum().alias(code) for code in ("CR", "PR", "SD", "PD", "NE")],
            *[(treated & (pl.col("BORN") == code)).sum().alias(f"{code}_NC") for code in ("CR", "PR", "SD", "PD")],
            (pl.col("CRSGR").cast(pl.Int64) > 0).sum().alias("CRS_ANY"),
            *[(pl.col("CRSGR").cast(pl.Int64) == grade).sum().alias(f"CRS_G{grade}") for grade in (1, 2, 3, 4)],
            pl.col("DLTFL").cast(pl.Boolean).sum().alias("DLT"),
            *[days.filter(order == n).first().alias(f"DAY_{n}") for n in (2, 9, 12, 18)],
        )
        .sort("REPLICATE")
    )


def _tornado():
    rows = [
        {
            "PARAMETER": f"p{k}",
            "LABEL": f"Parameter number {k} with a long clinical name",
            "LOW": 0.1,
            "HIGH": 10.0,
            "RESPONSE_LOW": 0.2 - 0.01 * k,
            "RESPONSE_HIGH": 0.2 + 0.015 * k,
            "RESPONSE_BASE": 0.2,
            "CRS_LOW": 0.3 + 0.02 * k,
            "CRS_HIGH": 0.3 - 0.01 * k,
            "CRS_BASE": 0.3,
            "SE": 0.01,
        }
        for k in range(8)
    ]
    return pl.DataFrame(rows)


def _patient():
    days = np.arange(-30.0, 169.0)
    after = np.maximum(days, 0)
    alive = (days > 0).astype(float)
    return pl.DataFrame(
        {
            "TIME": days,
            "VOLUME": 120 * np.exp(0.004 * days - 0.01 * after),
            "AFP": 900 * np.exp(0.004 * days - 0.012 * after),
            "TCRT": 30 * alive * np.exp(-0.02 * after),
            "COPIES": 40000 * alive * np.exp(-0.02 * after),
            "IL6": 5 + 400 * alive * np.exp(-(((after - 6) / 2) ** 2)),
            "ANC": 4000 * (1 - 0.97 * np.exp(-(((days - 4) / 6) ** 2))),
            "PLT": 180 * (1 - 0.7 * np.exp(-(((days - 7) / 6) ** 2))),
            "LYM": 1200 * (1 - 0.98 * np.exp(-(((days - 2) / 9) ** 2))),
        }
    )


PUBLISHED = [
    {"row": "SCREENED", "published": 477, "kind": "free rate"},
    {"row": "APHERESED", "published": 38},
    {"row": "INFUSED", "published": 21},
    {"row": "CR", "published": 1},
    {"row": "PR", "published": 1},
    {"row": "SD", "published": 12},
    {"row": "PD", "published": 7},
    {"row": "CRS_ANY", "published": 6},
    {"row": "CRS_G1_2", "published": 5},
    {"row": "CRS_G4", "published": 1},
    {"row": "DAY_2", "published": "2018-09-21", "text": "AACR 2019"},
    {"row": "DAY_9", "published": "2020-08"},
    {"row": "DAY_12", "published": "2020-11"},
    {"row": "DAY_18", "published": "2021-04-05"},
]


def _summary(title, replicates):
    return {
        "protocol": {
            "title": title,
            "registry_id": "NCT03132792",
            "short_name": "ADP-A2AFP",
            "digest": "ab" * 32,
            "placeholders": [
                {"path": "dosing.levels[2].target", "value": "5e9 cells", "reason": "range published only", "line": 41}
            ],
        },
        "recipe": {
            "command": "graftline simulate adp_a2afp --replicates 20 --seed 1 --out results",
            "seed": 1,
            "replicates": replicates,
            "code_version": "0.1.0",
            "parameter_set": "cd" * 32,
        },
        "published": PUBLISHED,
        "replicates": replicates,
        "evidence_placeholders": [
            {"name": "twin.kill.rate", "value": 0.123456789, "unit": "1/d", "meaning": "kill", "reason": "no data"}
        ],
        "implausible_draws": {
            "transaminases": {"refuses": "AST and ALT too far apart", "patients": 477, "refused": 0},
            "tumour_doubling": {"refuses": "a tumour that doubles too fast", "patients": 38, "refused": 2},
        },
        "solver_failures": 0,
    }


def write_folder(folder, *, replicates=12, infused=20, title="ADP-A2AFP in liver cancer"):
    """Write every file that the page reads; returns the folder."""
    draw = np.random.default_rng(1)
    subjects = _subjects(replicates, infused, draw)
    scans, responses = _scans(subjects, draw)
    tables = {"adsl": subjects, "adtr": scans, "adrs": responses, "replicates": replicate_table(subjects)}
    if infused:
        tables |= {"bands": _bands(), "tornado": _tornado(), "patient": _patient()}
    else:
        tables |= {"bands": _bands().clear(), "tornado": _tornado().clear(), "patient": _patient().clear()}
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    events = [
        {"day": -60, "date": "2020-01-03", "text": "Referred"},
        {"day": 0, "date": "2020-03-03", "text": "Infused"},
    ]
    story = {"facts": {"age": "59 years", "diagnosis": "inoperable HCC"}, "events": events}
    (folder / "patient.json").write_text(json.dumps(story), "utf-8")
    (folder / "summary.json").write_text(json.dumps(_summary(title, replicates)), "utf-8")
    return folder


@pytest.fixture(scope="session")
def results_folder(tmp_path_factory):
    """Twelve replicates with twenty infused each."""
    return write_folder(tmp_path_factory.mktemp("results"))


@pytest.fixture
def make_folder(tmp_path):
    """Writes a results folder of the wanted size."""
    return lambda **wanted: write_folder(tmp_path, **wanted)
