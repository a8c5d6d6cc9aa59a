"""Tables of visits made with known truth, and where the real one lies."""

from pathlib import Path

import numpy as np

from graftline.learning import COLUMNS, NaturalHistory

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "hcc_natural_history.csv"


def visits_of(patients, per_patient, gap=60.0):
    """Patient and day of every row, each patient seen `per_patient` times."""
    subject = np.repeat(np.arange(patients), per_patient)
    day = np.tile(np.arange(per_patient) * gap, patients)
    return subject.astype(np.int64), day


def made(subject, day, **columns):
    """A table with these columns; a calm patient in the others: 60 mm, AFP 200, Child-Pugh 5, untreated, alive."""
    rows = len(subject)
    flags = ("new_lesion", "embolization", "targeted_therapy", "resection", "died")
    calm = {
        "lesion_count": np.ones(rows), "diameter": np.full(rows, 60.0), "child_pugh": np.full(rows, 5.0),
        "afp": np.full(rows, 200.0), "days_left": np.full(rows, 1000.0),
        **{name: np.zeros(rows, dtype=bool) for name in flags},
    }  # fmt: skip
    return NaturalHistory(subject=subject, day=day, **(calm | columns))


ROWS = (
    "1,0,60,3,50,0,0,0,0,5,81.12,0,0,1,1,1233",
    "1,90,60,0,0,0,0,0,0,5,6,0,0,0,1,1143",
    "2,0,52,3,40,0,0,0,0,6,3212,0,1,0,0,4165",
)


def write_table(folder, rows=ROWS, header=None):
    """A small CSV file."""
    path = folder / "visits.csv"
    path.write_text("\n".join([header or ",".join(COLUMNS), *rows]) + "\n", encoding="utf-8")
    return path
