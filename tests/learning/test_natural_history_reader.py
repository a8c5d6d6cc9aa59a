"""The table of visits is read as it stands, or refused with the line of every fault."""

import numpy as np
import pytest
from visit_tables import ROWS, write_table

from graftline.base.errors import InputError
from graftline.learning import COLUMNS, read_natural_history


def faults(path):
    with pytest.raises(InputError) as caught:
        read_natural_history(path)
    return [str(fault) for fault in caught.value.faults]


def changed(row, column, value):
    """The small table with one cell changed; `row` counts from 0."""
    cells = [line.split(",") for line in ROWS]
    cells[row][list(COLUMNS).index(column)] = value
    return [",".join(line) for line in cells]


def test_a_table_is_read_with_flags_that_hold_from_a_visit_on(tmp_path):
    history = read_natural_history(write_table(tmp_path))
    assert (len(history), history.patients) == (3, 2)
    assert history.subject.tolist() == [0, 0, 1]
    assert history.treated.tolist() == [True, False, True]
    assert history.treated_before.tolist() == [False, True, False]  # another patient's treatment is no one else's
    assert (history.first.tolist(), history.last.tolist()) == ([0, 2], [1, 2])
    assert history.volume == pytest.approx([np.pi / 6 * 125, 0, np.pi / 6 * 64])
    steps = history.intervals
    assert (steps.start.tolist(), steps.end.tolist(), steps.days.tolist()) == ([0], [1], [90.0])


def test_columns_may_stand_in_any_order(tmp_path):
    order = list(COLUMNS)[::-1]
    rows = [",".join(reversed(row.split(","))) for row in ROWS]
    turned = read_natural_history(write_table(tmp_path, rows, ",".join(order)))
    straight = read_natural_history(write_table(tmp_path))
    assert np.array_equal(turned.afp, straight.afp) and np.array_equal(turned.day, straight.day)


@pytest.mark.parametrize(
    ("row", "column", "value", "found"),
    [
        (0, "afp_ng_per_ml", "", "empty, or no number"),
        (1, "afp_ng_per_ml", "<20", "empty, or no number"),
        (1, "afp_ng_per_ml", "-3", "-3; write ng/mL"),
        (2, "largest_diameter_mm", "4000", "4000; write millimetres"),
        (1, "day", "90.5", "90.5; write whole days"),
        (2, "child_pugh_score", "4", "4; write a Child-Pugh score, 5 to 15"),
        (0, "resection", "2", "2; write 0 or 1"),
        (2, "day", "inf", "inf; write whole days"),
    ],
)
def test_a_cell_that_cannot_be_is_refused_with_its_line(tmp_path, row, column, value, found):
    assert faults(write_table(tmp_path, changed(row, column, value)))[0].startswith(
        f"visits.csv:{row + 2} {column}: {found}"
    )


@pytest.mark.parametrize(
    ("rows", "place", "found"),
    [
        (changed(0, "day", "5"), "visits.csv:2 day", "the first visit is not on day 0"),
        (changed(1, "died", "0"), "visits.csv:3 died", "not as in the row above"),
        (changed(1, "days_to_death_or_last_contact", "900"), "visits.csv:3 days_to_death_or_last_contact", "follow-up would end on day 990, by the patient's first row on day 1233"),
        ([ROWS[0], ROWS[2], ROWS[1]], "visits.csv:4 subject", "the patient's rows are apart"),
        ([ROWS[0], ROWS[1], "1,30,60,0,0,0,0,0,0,5,6,0,0,0,1,1203"], "visits.csv:4 day", "before the row above"),
    ],
)  # fmt: skip
def test_rows_of_a_patient_that_contradict_are_refused(tmp_path, rows, place, found):
    told = faults(write_table(tmp_path, rows))
    assert any(one.startswith(f"{place}: {found}") for one in told)


def test_every_fault_is_told_and_very_many_are_counted(tmp_path):
    many = [f"{patient},0,60,1,50,0,0,0,0,5,-1,0,0,0,0,9" for patient in range(50)]
    told = faults(write_table(tmp_path, [*many, "50,0,60,1,50,0,0,0,0,99,5,0,0,0,0,9"]))
    assert sum("afp_ng_per_ml" in one for one in told) == 21
    assert "visits.csv:51 afp_ng_per_ml: the last of 30 more like these; write ng/mL" in told
    assert any(one.startswith("visits.csv:52 child_pugh_score: 99") for one in told)


def test_missing_and_unknown_columns_are_named(tmp_path):
    header = ",".join(COLUMNS).replace("day,", "date,")
    told = faults(write_table(tmp_path, header=header))
    assert [one.split(";")[0] for one in told] == [
        "visits.csv:1 day: the column is missing",
        "visits.csv:1 date: no column of this table",
    ]


def test_no_file_no_rows_and_no_table_are_told(tmp_path):
    assert "no such file" in faults(tmp_path / "absent.csv")[0]
    assert "holds no visit" in faults(write_table(tmp_path, rows=()))[0]
    ragged = tmp_path / "ragged.csv"
    ragged.write_text("a,b\n1,2,3,4\n", encoding="utf-8")
    assert faults(ragged)[0].startswith("ragged.csv: no table (")
    binary = tmp_path / "binary.csv"
    binary.write_bytes(bytes(range(256)))
    assert faults(binary)[0].startswith("binary.csv:")
