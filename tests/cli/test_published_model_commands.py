"""`graftline model` with the shipped published models: by name, as a list, with their warnings."""

import json

import numpy as np
import polars as pl
import pytest

from graftline.cli import run
from graftline.twin import models_left_out, published_model, published_models

NAMES = sorted(published_models())


def courses(name, folder, *options):
    """The table that `graftline model run` writes."""
    out = folder / "course.csv"
    assert (
        run(["model", "run", name, "--until", "30", "--points", "61", "--rtol", "1e-9", *options, "--out", str(out)])
        == 0
    )
    return pl.read_csv(out)


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_model_runs_by_its_name_and_again_from_its_sbml(name, tmp_path, capsys):
    known, sbml = published_model(name), str(tmp_path / "again.xml")
    assert run(["model", "check", name]) == 0
    assert capsys.readouterr().out.startswith(f"{name}: {len(known.states)} states, ")
    once = courses(name, tmp_path)
    assert {*known.states, *known.also_shown} == set(once.columns) - {"time"}
    assert run(["model", "export", name, "--out", sbml]) == 0
    again = courses(sbml, tmp_path, *(word for output in once.columns[1:] for word in ("--output", output)))
    assert once.columns == again.columns
    for column in once.columns:
        assert again[column].to_numpy() == pytest.approx(once[column].to_numpy(), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_describe_tells_source_faults_units_and_meanings(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    known = published_model(name)
    assert run(["model", "describe", name]) == 0
    told = capsys.readouterr().out
    for part in (known.title, known.doi, known.source, known.licence, *known.faults):
        assert " ".join(part.split()) in told
    assert all(one.meaning in told for one in {**known.states, **known.parameters}.values())
    assert "unit_" not in told
    assert run(["model", "describe", name, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {frozenset(row) for row in rows} == {frozenset({"what", "name", "formula", "unit", "meaning"})}
    assert sum(row["name"] == "known fault" for row in rows) == len(known.faults)
    values = {row["name"]: row["formula"] for row in rows if row["what"] in ("parameter", "start of")}
    for symbol, one in {**known.states, **known.parameters}.items():
        assert one.value is None or float(values[symbol]) == pytest.approx(one.value)


def test_list_shows_every_model_and_what_is_left_out(capsys, monkeypatch):
    assert run(["model", "list"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in (*NAMES, *models_left_out()))
    assert all(word in told for word in ("disease, data", "states", "reference", "sure", "what it shows", "caveats"))
    joined = "".join(char for char in told if char not in "│ \n")
    for one in published_models().values():
        assert one.doi in told or one.doi in joined
    assert "singh_2021 (Singh 2020/2021" in told and "infused cells" in told


def test_list_in_a_narrow_terminal_puts_one_below_the_other(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")  # as if it were a terminal
    assert run(["model", "list"]) == 0
    told = capsys.readouterr().out
    assert "kimmel_2021\n    model: Competition of T cells" in told
    assert "    known fault: At r_B 0.01 the tumour falls below 100 cells on day 31" in told
    assert "    extinction rule: Antigen_presenting_tumour_cells is set to 0 below 1e-09 mL (one tumour cell)" in told


def test_list_gives_the_same_to_programs(capsys):
    assert run(["model", "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in told["models"]] == NAMES
    assert {row["name"] for row in told["left_out"]} == set(models_left_out())
    kimmel = next(row for row in told["models"] if row["name"] == "kimmel_2021")
    assert kimmel["parameters"]["a"]["spread"]["high"] == 0.302
    assert kimmel["extinction_rules"][0]["threshold"] == 1e-9
    stein = next(row for row in told["models"] if row["name"] == "stein_2019")
    assert stein["parameters"]["Cmax"]["spread"] == {
        "kind": "unsettled", "value": 0.65, "low": None, "high": None, "unit": None, "note": None
    }  # fmt: skip


def test_the_extinction_rule_is_kept_and_told_unless_it_is_refused(tmp_path, capsys):
    out, tumour = tmp_path / "course.csv", "Antigen_presenting_tumour_cells"
    assert run(["model", "run", "kimmel_2021", "--until", "60", "--out", str(out)]) == 0
    assert f"extinction rule: {tumour} is set to 0 below 1e-09 mL" in capsys.readouterr().err
    ended = pl.read_csv(out)
    died = ended.filter(pl.col(tumour) == 0)["time"].min()
    assert 44 < died < 46
    assert run(["model", "run", "kimmel_2021", "--until", "60", "--no-extinction", "--out", str(out)]) == 0
    assert "extinction" not in capsys.readouterr().err
    unended = pl.read_csv(out)
    assert unended[tumour].min() > 0
    assert np.allclose(ended["CAR_T_cells"].to_numpy(), unended["CAR_T_cells"].to_numpy(), rtol=1e-4)
    assert run(["model", "export", "kimmel_2021", "--out", str(tmp_path / "k.xml")]) == 0
    assert "extinction rule, which SBML does not carry" in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_names_what_it_shows(name, tmp_path, capsys):
    out, known = tmp_path / "course.svg", published_model(name)
    assert run(["model", "run", name, "--until", "60", "--out", str(out)]) == 0
    picture = out.read_text(encoding="utf-8")
    units = {known.states[state].unit for state in known.states}
    assert all(f">{unit}, logarithmic<" in picture for unit in units)
    assert known.doi in picture and ">time (d)<" in picture
    for symbol in (*known.states, *known.also_shown):
        assert f">{symbol}: {known.quantities[symbol].meaning}<" in picture


def test_unknown_and_left_out_names_are_told(capsys):
    assert run(["model", "run", "minucci_2024", "--until", "3"]) == 2
    assert "minucci_2024: is left out: lacks dose and its CD4/CD8 split" in capsys.readouterr().err
    assert run(["model", "check", "kimel"]) == 2
    assert "no such file and no shipped model of that name; write kimmel_2021" in capsys.readouterr().err
    assert run(["model", "check", "other"]) == 2
    assert "write the path of a model file, or one of: cartmath_hdlm2, " in capsys.readouterr().err
    assert run(["model", "run", "kimmel_2021", "--until", "3", "--output", "nothing"]) == 2
    assert "the model has no such name" in capsys.readouterr().err
