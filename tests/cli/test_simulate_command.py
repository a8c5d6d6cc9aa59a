"""`graftline simulate`: faults of the input, resuming, equal bytes."""

import hashlib
import os
import re
import signal
import subprocess
import sys
import time

import polars as pl
import pytest

from graftline.cli import run
from graftline.protocol import shipped_text

# a shell that starts this in the background lets its children ignore Ctrl-C
INTERRUPTIBLE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from graftline.cli import main; main()"
)


@pytest.fixture(scope="module")
def small_trial(tmp_path_factory):
    """The reference trial with a fifth of the patients: the same path through the code in less time."""
    text = re.sub(
        r"screening_rate: [0-9.]+ people/month", "screening_rate: 0.2 people/month", shipped_text("adp_a2afp").decode()
    )
    path = tmp_path_factory.mktemp("protocol") / "small_trial.yaml"
    path.write_text(text)
    return str(path)


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


def test_a_run_resumes_to_the_same_bytes_and_refuses_another_recipe(small_trial, tmp_path, capsys):
    command = ["simulate", small_trial, "--replicates", "1", "--seed", "3", "--workers", "1", "--out"]
    assert run([*command, str(tmp_path / "a")]) == 0
    before = digests(tmp_path / "a")
    (tmp_path / "a" / "adsl.parquet").unlink()
    (tmp_path / "a" / "tornado.parquet").unlink()
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


def test_the_number_of_workers_moves_no_byte(small_trial, tmp_path):
    command = ["simulate", small_trial, "--replicates", "11", "--seed", "3", "--out"]
    for workers in ("1", "2"):
        assert run([*command, str(tmp_path / workers), "--workers", workers]) == 0
    assert digests(tmp_path / "1") == digests(tmp_path / "2")


def test_an_interrupt_while_the_program_loads_is_as_quiet_as_later(tmp_path):
    code = INTERRUPTIBLE
    with subprocess.Popen(
        [sys.executable, "-c", code, "protocol", "list"], stderr=subprocess.PIPE, text=True
    ) as process:
        time.sleep(0.4)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode in (0, 130), told  # 0 if the machine was faster than the signal
    assert "Traceback" not in told


def test_an_interrupt_of_the_whole_terminal_prints_no_traceback_of_a_worker(small_trial, tmp_path):
    code = INTERRUPTIBLE
    arguments = ["simulate", small_trial, "--replicates", "20000", "--workers", "2", "--out", str(tmp_path / "out")]
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        while not (tmp_path / "out" / "parts").is_dir() and process.poll() is None:
            time.sleep(0.1)
        time.sleep(3)
        os.killpg(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "same command again" in told and "Traceback" not in told


def test_a_trial_in_which_nobody_is_eligible_still_gives_a_page(tmp_path):
    text = shipped_text("adp_a2afp").decode()
    nobody = text.replace("at_least: 18 years, at_most: 75 years", "at_least: 130 years")
    assert nobody != text
    (tmp_path / "nobody.yaml").write_text(nobody)
    out = tmp_path / "out"
    assert (
        run(["simulate", str(tmp_path / "nobody.yaml"), "--replicates", "1", "--workers", "1", "--out", str(out)]) == 0
    )
    assert pl.read_parquet(out / "adsl.parquet")["LEUKFL"].sum() == 0
    assert run(["report", str(out)]) == 0
    assert "<html" in (out / "report.html").read_text()


def test_a_full_disk_ends_with_a_message_and_nothing_half_written(small_trial, tmp_path):
    out = tmp_path / "out"
    limited = f"ulimit -f 16; exec {sys.executable} -c 'from graftline.cli import main; main()' "
    command = f"simulate {small_trial} --replicates 1 --workers 1 --out {out}"
    done = subprocess.run(["bash", "-c", limited + command], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "cannot be written" in done.stderr and "same command again" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((out / "parts").glob("*"))


def test_an_interrupted_run_is_readable_and_goes_on(small_trial, tmp_path):
    out = tmp_path / "out"
    code = INTERRUPTIBLE
    command = [
        sys.executable,
        "-c",
        code,
        "simulate",
        small_trial,
        "--replicates",
        "2000",
        "--workers",
        "1",
        "--out",
        str(out),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not (out / "parts" / "00000").is_dir() and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "same command again" in told and "Traceback" not in told
    assert pl.read_parquet(out / "parts" / "00000" / "adsl.parquet").height > 0
    assert not (out / "summary.json").exists()
