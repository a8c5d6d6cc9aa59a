"""`graftline model sensitivity` and `identify`: what they print and write, and their refusals."""

import json

import polars as pl
import pytest

from graftline.cli import run

TEXT = "k = 0.5; a = 2; b = 3; x' = -k * x; x = a * b; z = 0.1"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "decay.ant"
    path.write_text(TEXT)
    return str(path)


@pytest.fixture
def visits(tmp_path):
    path = tmp_path / "visits.yaml"
    path.write_text("measurements:\n  - {output: x, times: [0, 1, 2, 4], log_sd: 0.2}\n")
    return str(path)


def study(file, *more):
    varied = ["--parameter", "k=0.1:0.9", "--parameter", "a=2~0.3"]
    return ["model", "sensitivity", file, *varied, "--output", "x@5", "--until", "10", "--samples", "64", *more]


def test_sensitivity_writes_table_and_pictures_and_the_same_again(file, tmp_path, capsys):
    outs = [tmp_path / name for name in ("s.csv", "s.parquet", "s.svg", "s.png")]
    arguments = [part for out in outs for part in ("--out", str(out))]
    assert run(study(file, *arguments, "--threads", "1")) == 0
    printed = capsys.readouterr().out
    assert "256 patients (64 samples, 2 factors, seed 1); not solved: 0 (0.00%)" in printed
    assert "widest 95 % interval" in printed
    table = pl.read_csv(outs[0])
    assert set(table["factor"]) == {"k", "a"}
    assert table.equals(pl.read_parquet(outs[1]))
    assert "share of the variance" in outs[2].read_text()
    assert outs[3].read_bytes().startswith(b"\x89PNG")
    assert run(study(file, "--threads", "2", "--json")) == 0
    found = json.loads(capsys.readouterr().out)
    rows = {row["factor"]: row for row in found["outputs"][0]["indices"]}
    assert rows["k"]["total"] == table.filter(table["factor"] == "k")["total"].item()
    assert (found["patients"], found["failed"], found["seed"]) == (256, 0, 1)


def test_sensitivity_of_the_twin_needs_nothing_but_its_name(capsys):
    asked = ["--parameter", "s", "--parameter", "lam0", "--output", "best_change", "--samples", "16", "--json"]
    assert run(["model", "sensitivity", *asked]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["model"] == "twin"
    assert found["notes"]["treatment"].startswith("conditioning cy500_flu20, 5e9 transduced cells")
    assert [one["factor_meaning"] for one in found["outputs"][0]["indices"]]


def test_sensitivity_of_a_shipped_model_says_its_quantities_in_words(capsys):
    asked = ["--parameter", "r_B=0.05:0.3", "--output", "log10:minimum:Antigen_presenting_tumour_cells"]
    arguments = ["model", "sensitivity", "kimmel_2021", *asked, "--until", "30", "--samples", "4", "--json"]
    assert run(arguments) == 0
    assert "(" in json.loads(capsys.readouterr().out)["outputs"][0]["meaning"]


def test_groups_are_moved_together(file, capsys):
    assert run(study(file, "--group", "start=a", "--json")) == 0
    factors = {row["factor"] for row in json.loads(capsys.readouterr().out)["outputs"][0]["indices"]}
    assert factors == {"start", "k"}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--samples", "100"], "samples: 100 is no power of two"),
        (["--samples", "many"], "--samples: 'many' is no whole number"),
        (["--seed", "-1"], "--seed: -1"),
        (["--group", "g"], "--group g: is no group"),
        (["--group", "g=z"], "group g: z is not among the inputs"),
        (["--parameter", "q=1:2"], "parameter q: is no parameter or state"),
        (["--parameter", "k=1:2"], "--parameter k=1:2: names it twice"),
        (["--parameter", "b"], "--parameter b: has no distribution"),
        (["--parameter", "b=wide"], "--parameter b=wide: 'wide' is no distribution"),
        (["--output", "x@11"], "output x@11: looks at time 11"),
        (["--output", "top:x"], "--output top:x: is no number of a course"),
        (["--set", "q=1"], "--set q=1: sets no number of the model"),
        (["--out", "s.doc"], "--out s.doc: has no known ending"),
        (["--out", "nowhere/s.csv"], "its folder is not there"),
    ],
)
def test_sensitivity_refuses_by_name(file, more, told, capsys):
    assert run(study(file, *more)) == 2
    assert told in capsys.readouterr().err


def test_a_model_of_ones_own_needs_all_to_be_named(file, capsys):
    assert run(["model", "sensitivity", file]) == 2
    told = capsys.readouterr().err
    assert all(option in told for option in ("--parameter: is not given", "--output: is", "--until: is"))
    assert run(["model", "sensitivity", "--set", "s=2"]) == 2
    assert "the twin is treated as in its protocol" in capsys.readouterr().err


def test_identify_tells_the_product_from_its_factors(file, visits, tmp_path, capsys):
    outs = [tmp_path / name for name in ("i.csv", "i.svg")]
    chosen = [f"--parameter={text}" for text in ("a=2~0.5", "b", "k")]
    arguments = ["model", "identify", file, "--schedule", visits, *chosen, "--profile", "a*b", "--profile", "a"]
    assert run([*arguments, *(part for out in outs for part in ("--out", str(out)))]) == 0
    printed = capsys.readouterr().out
    assert "open" in printed
    assert "profile of ln a, 95 %: measurements open" in printed
    assert pl.read_csv(outs[0])["parameter"].to_list() == ["a", "b", "k"]
    picture = outs[1].read_text()
    assert "loss of fit" in picture and "correlation" in picture
    assert run([*arguments, "--json", "--threads", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["profiles"][1]["interval_data"] == [None, None]
    assert found["parameters"][0]["error_data"] is None
    assert found["combinations"][-1]["error"] is None


def test_identify_takes_all_parameters_above_zero_and_doses(file, visits, capsys):
    assert run(["model", "identify", file, "--schedule", visits, "--dose", "x=4@1", "--set", "k=0.3", "--json"]) == 0
    rows = {row["parameter"]: row["value"] for row in json.loads(capsys.readouterr().out)["parameters"]}
    assert rows == {"k": 0.3, "a": 2.0, "b": 3.0, "z": 0.1}


def test_identify_of_the_twin_shows_the_ridge(capsys):
    assert run(["model", "identify", "--set", "s=3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["effective_kill"][0].startswith("effective kill, measurements alone: best known is mT^")
    assert any(note.endswith("one lesion; but s 3") for note in found["notes"])
    assert any("free priors" in note for note in found["notes"])
    errors = {row["parameter"]: row["error_data"] for row in found["parameters"]}
    assert errors["kap"] > 4 > errors["V0"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["twin", "--parameter", "zz"], "parameter zz: is none of the twin's"),
        (["twin", "--parameter", "s=1~0.3"], "the twin's priors are its cards' spreads"),
        (["twin", "--dose", "G=1@0"], "the twin is treated as in its protocol"),
        (["twin", "--profile", "zz"], "profile zz: is none of the estimated parameters"),
        (["twin", "--schedule", "absent.yaml"], "absent.yaml: cannot be read"),
        (["FILE"], "--schedule: is not given"),
        (["FILE", "--schedule", "VISITS", "--parameter", "q"], "--parameter q: is no parameter of the model"),
        (["FILE", "--schedule", "VISITS", "--parameter", "k=1:2"], "a prior is log-normal here"),
    ],
)
def test_identify_refuses_by_name(arguments, told, file, visits, capsys):
    named = {"FILE": file, "VISITS": visits}
    assert run(["model", "identify", *(named.get(one, one) for one in arguments)]) == 2
    assert told in capsys.readouterr().err


def test_events_are_refused_with_what_to_do(tmp_path, visits, capsys):
    path = tmp_path / "event.ant"
    path.write_text("k = 1; x' = -k * x; x = 1; at (time > 1): x = 2")
    assert run(["model", "identify", str(path), "--schedule", visits, "--parameter", "k"]) == 2
    assert "has events" in capsys.readouterr().err
