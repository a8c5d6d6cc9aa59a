"""`graftline model`: what it prints and writes, and its refusals."""

import json

import numpy as np
import polars as pl
import pytest

from graftline import engine
from graftline.cli import run

TEXT = """
model decay()
  unit per_day = 1 / (86400 second)
  k = 0.5; k has per_day
  x' = -k * x; x = 8
  double := 2 * x
  at (time > 4): x = 0
end
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "decay.ant"
    path.write_text(TEXT)
    return str(path)


def test_check_says_what_a_model_is_made_of(file, capsys):
    assert run(["model", "check", file]) == 0
    assert capsys.readouterr().out == f"{file}: 1 state, 1 parameter, 1 observable, 1 event\n"


def test_check_tells_the_line_of_a_fault_and_leaves_with_two(tmp_path, capsys):
    wrong = tmp_path / "wrong.ant"
    wrong.write_text("x = 1\nx' = = x\n")
    assert run(["model", "check", str(wrong)]) == 2
    assert capsys.readouterr().err.startswith("wrong.ant:2: ")
    assert run(["model", "check", str(tmp_path / "model.doc")]) == 2
    assert "ending that says nothing" in capsys.readouterr().err
    assert run(["model", "check", str(tmp_path / "absent.ant")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_describe_lists_the_equations_with_units(file, capsys, monkeypatch):
    assert run(["model", "describe", file, "--json"]) == 0
    rows = {(row["what"], row["name"]): row for row in json.loads(capsys.readouterr().out)}
    assert rows["rate of", "x"]["formula"] == "-k*x"
    assert rows["parameter", "k"] == {"what": "parameter", "name": "k", "formula": "0.5", "unit": "per_day"}
    assert rows["observable", "double"]["formula"] == "2*x"
    assert "x = 0" in next(row["formula"] for (what, _), row in rows.items() if what == "event")
    monkeypatch.setenv("COLUMNS", "120")
    assert run(["model", "describe", file]) == 0
    assert "-k*x" in capsys.readouterr().out


def test_run_writes_the_course_as_a_table(file, tmp_path, capsys):
    out = tmp_path / "course.csv"
    arguments = [
        "--until",
        "3",
        "--points",
        "4",
        "--set",
        "k=0.25",
        "--dose",
        "x=4@1",
        "--output",
        "x",
        "--output",
        "double",
    ]
    assert run(["model", "run", file, *arguments, "--rtol", "1e-9", "--out", str(out)]) == 0
    table = pl.read_csv(out)
    expected = 8 * np.exp(-0.25 * np.arange(4.0)) + np.array([0, 0, 4 * np.exp(-0.25), 4 * np.exp(-0.5)])
    assert table["x"].to_numpy() == pytest.approx(expected, rel=1e-8)
    assert table["double"].to_numpy() == pytest.approx(2 * expected, rel=1e-8)
    assert run(["model", "run", file, *arguments, "--out", str(out.with_suffix(".parquet"))]) == 0
    assert pl.read_parquet(out.with_suffix(".parquet")).columns == ["time", "x", "double"]
    capsys.readouterr()
    assert run(["model", "run", file, "--until", "5"]) == 0
    assert "at time 5" in capsys.readouterr().out


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_run_draws_the_course(file, tmp_path, ending):
    out = tmp_path / f"course.{ending}"
    assert run(["model", "run", file, "--until", "5", "--out", str(out)]) == 0
    assert out.stat().st_size > 1000
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == []


def test_run_tells_every_wrong_number_at_once(file, capsys):
    assert run(["model", "run", file, "--until", "5", "--set", "q=1", "--set", "k=much", "--dose", "k=1@2"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in told] == ["--set q=1", "--set k=much", "--dose k=1@2"]
    assert run(["model", "run", file, "--until", "5", "--out", "course.doc"]) == 2
    assert "has no known ending" in capsys.readouterr().err


def test_export_writes_sbml_that_gives_the_same_course(file, tmp_path, capsys):
    out = tmp_path / "decay.xml"
    assert run(["model", "export", file, "--out", str(out)]) == 0
    assert 'level="3" version="2"' in out.read_text()
    times = np.linspace(0, 5, 11)
    assert np.array_equal(engine.load(out).run(times=times).values, engine.load(file).run(times=times).values)
    assert run(["model", "export", file, "--out", str(out)]) == 2
    assert "is there already; name another file, or add --force" in capsys.readouterr().err
    assert run(["model", "export", file, "--out", str(out), "--force"]) == 0


def test_export_writes_doses_as_events_and_numbers_that_are_set(file, tmp_path, capsys):
    out = tmp_path / "dosed.xml"
    given = ["--set", "k=0.25", "--dose", "x=4@1/0.5", "--dose", "x=2@3"]
    assert run(["model", "export", file, "--out", str(out), *given]) == 0
    assert capsys.readouterr().out == f"wrote {out}\n"
    written = engine.load(out)
    assert written.own_values["k"] == 0.25
    times = np.array([0.5, 2.0, 3.5, 5.0])
    model = engine.load(file)
    doses = engine.Doses(
        patient=np.zeros(2, dtype=np.int64), time=np.array([1.0, 3.0]), state=np.array(["x", "x"]),
        amount=np.array([4.0, 2.0]), duration=np.array([0.5, 0.0]),
    )  # fmt: skip
    ours = model.run(times=[0.0, *times], parameters={"k": 0.25}, doses=doses, rtol=1e-9)
    again = written.run(times=[0.0, *times], outputs=["x"], rtol=1e-9)
    assert np.allclose(ours["x"], again["x"], rtol=1e-6)
    assert run(["model", "export", file, "--out", str(out), "--force", "--dose", "q=1@0"]) == 2
    assert "is no dose into the model" in capsys.readouterr().err


def test_the_twin_is_exported_by_its_name_with_modules(tmp_path, capsys):
    out = tmp_path / "twin.xml"
    assert run(["model", "export", "tcrt_core+immunity", "--out", str(out), "--dose", "G=5@7"]) == 0
    assert "to be given before it is run: " in capsys.readouterr().err
    assert {"Z", "G", "A"} <= set(engine.load(out).states)
    assert run(["model", "check", "tcrt_core+bone"]) == 2
    assert "no such module of the twin; choose from marrow" in capsys.readouterr().err


def test_the_equations_of_the_twin_are_described_in_words(capsys):
    assert run(["model", "describe", "tcrt_core+immunity", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    words = {(row["what"], row["name"]): row["meaning"] for row in rows}
    assert words["rate of", "A"] == "Antigen-positive tumour: grows, is killed, loses antigen"
    assert words["rate of", "Z"]
    assert all(words["observable", row["name"]] for row in rows if row["what"] == "observable")


def test_a_run_that_fails_says_so_by_its_exit_code(tmp_path, capsys):
    (tmp_path / "pole.ant").write_text("x' = x * x; x = 1")
    assert run(["model", "run", str(tmp_path / "pole.ant"), "--until", "2", "--out", str(tmp_path / "c.csv")]) == 1
    assert "not solved to the end" in capsys.readouterr().err
    assert len(pl.read_csv(tmp_path / "c.csv")) == 101


def test_a_run_takes_a_negative_parameter_that_is_named_and_no_time_before_the_start(tmp_path, capsys):
    (tmp_path / "k.ant").write_text("x' = -k * x; x = 1; k = 1")
    grow = ["model", "run", str(tmp_path / "k.ant"), "--until", "1", "--set", "k=-1"]
    assert run(grow) == 2
    assert "parameters k: is below zero" in capsys.readouterr().err
    assert run([*grow, "--may-be-negative", "k"]) == 0
    assert run(["model", "run", str(tmp_path / "k.ant"), "--until", "-1"]) == 2
    assert "--until -1: is not after the start" in capsys.readouterr().err
