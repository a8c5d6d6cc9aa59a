"""`graftline protocol` and `check`: a missing name lists the names; faults without a line carry none."""

import pytest

from graftline.base.errors import InputError
from graftline.cli import run
from graftline.cli._whole_numbers import whole_number


def test_show_without_a_name_lists_the_names(capsys):
    assert run(["protocol", "show"]) == 2
    told = "write one of: adp_a2afp, tisagenlecleucel_all, or the path of a file"
    assert capsys.readouterr().err == f"PROTOCOL: no name was given; {told}\n"


@pytest.mark.parametrize(
    ("name", "place"), [("", "PROTOCOL: the name is empty"), ("nosuch", "nosuch: there is no such")]
)
def test_a_file_that_is_not_there_has_no_line(name, place, capsys):
    assert run(["check", name]) == 2
    assert capsys.readouterr().err.startswith(place)


def test_a_new_file_is_refused_without_a_line(tmp_path, capsys):
    assert run(["protocol", "new", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"{tmp_path}: there is already something of that name; choose")
    assert run(["protocol", "new", str(tmp_path / "no" / "x.yaml")]) == 2
    assert capsys.readouterr().err.startswith(f"{tmp_path / 'no' / 'x.yaml'}: its folder does not exist; make")


@pytest.mark.parametrize("below", [(), ("inside",)])
def test_results_are_never_written_over_a_file(tmp_path, capsys, below):
    file = tmp_path / "afile"
    file.write_text("keep")
    assert run(["simulate", "adp_a2afp", "--replicates", "1", "--out", str(file.joinpath(*below))]) == 2
    assert capsys.readouterr().err == f"{file}: is a file, no folder; name a new or empty folder with --out\n"
    assert file.read_text() == "keep"


def test_a_number_in_words_is_refused_with_an_example():
    assert whole_number("--replicates", 200)("7") == 7
    with pytest.raises(InputError) as refusal:
        whole_number("--replicates", 200)("three")
    assert str(refusal.value) == "--replicates: 'three' is no whole number; write for example 200"
