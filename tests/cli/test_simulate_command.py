"""`graftline simulate`: faults of the input, resuming, equal bytes."""

import hashlib

import pytest

from graftline.cli import run


def digests(folder):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.glob("*.parquet"))}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--replicates", "0"], "--replicates: 0; write 1 or more"),
        (["--seed", "-1"], "--seed: -1; write a whole number"),
        (["--workers", "0"], "--workers: 0; write 1 or more"),
    ],
)
def test_impossible_arguments_are_refused_with_a_remedy(tmp_path, capsys, arguments, words):
    assert run(["simulate", "adp_a2afp", "--out", str(tmp_path / "o"), *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_folder_with_other_files_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("keep")
    assert run(["simulate", "adp_a2afp", "--replicates", "1", "--out", str(tmp_path)]) == 2
    assert "holds other files" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_a_run_resumes_to_the_same_bytes_and_refuses_another_recipe(tmp_path, capsys):
    command = ["simulate", "adp_a2afp", "--replicates", "1", "--seed", "3", "--workers", "1", "--out"]
    assert run([*command, str(tmp_path / "a")]) == 0
    before = digests(tmp_path / "a")
    (tmp_path / "a" / "adsl.parquet").unlink()
    (tmp_path / "a" / "parts" / "00000").rename(tmp_path / "a" / "parts" / "00000.writing")
    assert run([*command, str(tmp_path / "a")]) == 0
    assert digests(tmp_path / "a") == before
    other = [
        "simulate",
        "adp_a2afp",
        "--replicates",
        "1",
        "--seed",
        "4",
        "--workers",
        "1",
        "--out",
        str(tmp_path / "a"),
    ]
    assert run(other) == 2
    assert "holds results of another run" in capsys.readouterr().err
