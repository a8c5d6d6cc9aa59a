"""`graftline twin run|observables`: the twin of one measured patient, and what can be seen of a twin."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from ..assessment import OBSERVABLES
from ..base.errors import Fault, InputError
from ..evidence import card
from ..protocol import ProtocolFile, load_protocol
from ..records import PRODUCT_VARIABLES, VARIABLES, Variable
from ..trial import KnownPatient, PlannedTreatment, simulate_one_patient
from ..trial.one_patient import longest_follow_up, most_lesions, most_samples, shortest_follow_up
from ..twin.model import MODULES
from . import _patient_told as told
from ._patient_values import OPTION_OF, Reading

app = typer.Typer(help="The twin of one patient, and what can be seen of it.", no_args_is_help=True)
WrittenAsJson = Annotated[bool, typer.Option("--json", help="Write JSON for other programs.")]
_WIDE = 200  # columns of a table that goes to a file or a pipe
_PATIENT, _TREATMENT, _OUTPUT = "Patient, just before lymphodepletion", "Treatment", "Samples and output"
_MOST_SEED = 2**63 - 1


def _value(variable: Variable, words: str = "", panel: str = _PATIENT) -> Any:
    """An option for a number with or without a unit; the help says what is allowed."""
    unit = "" if variable.unit == "1" else f", in {variable.unit} or with its unit"
    meaning = words or variable.meaning
    help_text = f"{meaning[0].upper()}{meaning[1:]}{unit}; {variable.plausible_in_words}."
    return typer.Option(metavar="VALUE", help=help_text, rich_help_panel=panel)


@app.command("run")
def run(  # noqa: PLR0913  # one option each
    context: typer.Context,
    age: Annotated[str | None, _value(VARIABLES["age"], "age")] = None,
    sex: Annotated[str | None, typer.Option(help="female or male.", rich_help_panel=_PATIENT)] = None,
    weight: Annotated[str | None, _value(VARIABLES["weight"])] = None,
    height: Annotated[str | None, _value(VARIABLES["height"])] = None,
    afp: Annotated[str | None, _value(VARIABLES["afp_serum"])] = None,
    afp_tumour_stained: Annotated[str | None, _value(VARIABLES["afp_tumour_ihc"])] = None,
    afp_liver_stained: Annotated[str | None, _value(VARIABLES["afp_nontumour_ihc"])] = None,
    lesion: Annotated[
        list[str], _value(VARIABLES["largest_lesion"], "diameter of a lesion; give the option once for each")
    ] = [],  # noqa: B006
    hla_alleles: Annotated[str | None, _value(VARIABLES["hla_a0201p_alleles"])] = None,
    egfr: Annotated[str | None, _value(VARIABLES["egfr"])] = None,
    bilirubin: Annotated[str | None, _value(VARIABLES["bilirubin"])] = None,
    albumin: Annotated[str | None, _value(VARIABLES["albumin"])] = None,
    inr: Annotated[str | None, _value(VARIABLES["inr"])] = None,
    ascites: Annotated[str | None, _value(VARIABLES["ascites"])] = None,
    encephalopathy: Annotated[str | None, _value(VARIABLES["encephalopathy"])] = None,
    lymphocytes: Annotated[str | None, _value(VARIABLES["lymphocytes"])] = None,
    neutrophils: Annotated[str | None, _value(VARIABLES["neutrophils"])] = None,
    platelets: Annotated[str | None, _value(VARIABLES["platelets"])] = None,
    alt: Annotated[str | None, _value(VARIABLES["alt"])] = None,
    crp: Annotated[str | None, _value(VARIABLES["crp"])] = None,
    protocol: Annotated[
        str, typer.Option(help="A shipped protocol's name or the path of a file.", rich_help_panel=_TREATMENT)
    ] = "adp_a2afp",
    regimen: Annotated[
        str | None,
        typer.Option(
            help="Conditioning regimen of the protocol; if left out the one first in force.",
            rich_help_panel=_TREATMENT,
        ),
    ] = None,
    dose: Annotated[
        str | None,
        _value(
            PRODUCT_VARIABLES["transduced_cells"],
            "transduced cells given on Day 1, if left out the target of the protocol's expansion",
            _TREATMENT,
        ),
    ] = None,
    memory_share: Annotated[str | None, _value(PRODUCT_VARIABLES["memory_share"], panel=_TREATMENT)] = None,
    copies_per_cell: Annotated[str | None, _value(PRODUCT_VARIABLES["copies_per_cell"], panel=_TREATMENT)] = None,
    until: Annotated[
        str, typer.Option(metavar="DAY", help="Last protocol day of follow-up.", rich_help_panel=_TREATMENT)
    ] = "169",
    module: Annotated[
        list[str],
        typer.Option(
            metavar="NAME",
            help=f"Module of the twin ({', '.join(MODULES)} or none); if left out those of the protocol.",
            rich_help_panel=_TREATMENT,
        ),
    ] = [],  # noqa: B006
    no_cells: Annotated[
        bool,
        typer.Option(
            "--no-cells/--cells-only",
            help="Show the same patient with the same conditioning and no cells beside it.",
            rich_help_panel=_TREATMENT,
        ),
    ] = True,
    samples: Annotated[
        str,
        typer.Option(metavar="NUMBER", help="Samples of everything that is not measured.", rich_help_panel=_OUTPUT),
    ] = "400",
    seed: Annotated[
        str, typer.Option(metavar="NUMBER", help="The same seed gives the same output.", rich_help_panel=_OUTPUT)
    ] = "1",
    as_measured: Annotated[
        bool,
        typer.Option(
            "--as-measured", help="Courses in files as a laboratory would read them.", rich_help_panel=_OUTPUT
        ),
    ] = False,
    out: Annotated[
        list[Path],
        typer.Option(
            help="Percentile courses (.csv, .parquet) or a picture (.svg, .png); may be given more than once.",
            rich_help_panel=_OUTPUT,
        ),
    ] = [],  # noqa: B006
    as_json: WrittenAsJson = False,
) -> None:
    """Course of one patient with its uncertainty. No treatment advice.

    What is left out is drawn around its card, and the output says so.
    Example: graftline twin run --age 59 --sex male --afp "2000 ng/mL" --lesion "66 mm" --lesion 30 --dose "5e9 cells"
    """
    known, planned, file, number, chosen_seed = _read(context.params)
    patient = simulate_one_patient(known, planned, samples=number, seed=chosen_seed, without_cells=no_cells)
    if out:
        told.write(patient, out, as_measured=as_measured)
    if as_json:
        command = f"graftline twin run {shlex.join(_given_options(context.params))}".strip()
        typer.echo(json.dumps(told.as_json(patient, command, file.digest), indent=2))
        return
    told.tell(patient, _console())


def _read(texts: Mapping[str, Any]) -> tuple[KnownPatient, PlannedTreatment, ProtocolFile, int, int]:
    """Everything that was typed, checked; raises InputError with every fault at once."""
    reading = Reading(list(told.faults_of_files(texts["out"])))
    numbers = reading.patient(texts)
    sex = None if texts["sex"] is None else reading.choice("--sex", texts["sex"], VARIABLES["sex"].categories)
    lesions = reading.lesions(texts["lesion"], most_lesions())
    cells = reading.product("transduced_cells", texts["dose"])
    memory = reading.product("memory_share", texts["memory_share"])
    copies = reading.product("copies_per_cell", texts["copies_per_cell"])
    last_day = reading.whole("--until", texts["until"], (shortest_follow_up(), longest_follow_up()))
    samples = reading.whole("--samples", texts["samples"], (1, most_samples()))
    seed = reading.whole("--seed", texts["seed"], (0, _MOST_SEED))
    modules = tuple(reading.choice("--module", name, ("none", *MODULES)) for name in texts["module"])
    try:
        file = load_protocol(texts["protocol"])
    except InputError as error:
        reading.faults += error.faults
        reading.finish()
        raise
    conditioning, dosing = file.protocol.conditioning, file.protocol.dosing
    names = [one.name for one in conditioning.regimens]
    wanted = conditioning.in_force if texts["regimen"] is None else texts["regimen"]
    regimen = reading.choice("--regimen", wanted, names)
    if cells is None:
        level = next(one for one in dosing.levels if one.name == dosing.expansion.level)
        cells = level.target.to("cells")
        if level.by_weight is not None:
            found = f"{file.protocol.short_name} doses by body weight"
            reading.faults.append(Fault("--dose", found, "write the dose, for example --dose '1e8 cells'"))
    reading.finish()
    planned = PlannedTreatment(
        protocol=file.protocol,
        regimen=regimen,
        cells=cells,
        modules=tuple(name for name in modules if name != "none") if modules else file.protocol.model.modules,
        last_day=last_day,
        memory_share=memory,
        copies_per_cell=copies,
    )
    return KnownPatient(numbers=numbers, sex=sex, lesion_diameters=lesions), planned, file, samples, seed


def _given_options(texts: Mapping[str, Any]) -> list[str]:
    """The options that make the result, as typed."""
    found: list[str] = []
    for name in (*(option.removeprefix("--").replace("-", "_") for option in OPTION_OF.values()), "sex", "lesion"):
        found += _spelled(name, texts[name])
    for name in ("protocol", "regimen", "dose", "memory_share", "copies_per_cell", "until", "module"):
        found += _spelled(name, texts[name])
    if not texts["no_cells"]:
        found.append("--cells-only")
    return [*found, *_spelled("samples", texts["samples"]), *_spelled("seed", texts["seed"])]


def _spelled(name: str, value: Any) -> list[str]:
    option = f"--{name.replace('_', '-')}"
    if value is None:
        return []
    return [part for one in (value if isinstance(value, list) else [value]) for part in (option, str(one))]


def _console() -> Console:
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _WIDE)  # in a file or a pipe there is no edge to keep to
    return console


@app.command("observables")
def observables(as_json: WrittenAsJson = False) -> None:
    """What can be seen of a twin: unit, error, limits, cards. Example: graftline twin observables"""
    rows = list(map(_row, OBSERVABLES))
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table(
        Column("name", no_wrap=True), "meaning", "unit", "read-out", "error", "limits", "cards", show_lines=True
    )
    for row in rows:
        low, high = row["lower_limit"], row["upper_limit"]
        limits = " ".join(text for text in (f"from {low:g}" if low else "", f"to {high:g}" if high else "") if text)
        cards = ", ".join(f"{name} (placeholder)" if name in row["placeholders"] else name for name in row["cards"])
        table.add_row(row["name"], row["meaning"], row["unit"], row["read_out"], row["error"], limits, cards)
    _console().print(table)
    typer.echo("limits of quantification: a reading beyond is reported at the limit and flagged")


def _row(name: str) -> dict[str, Any]:
    """One observable as plain data."""
    one = OBSERVABLES[name]
    return {
        "name": name,
        "meaning": one.meaning,
        "unit": one.unit,
        "read_out": one.read_out,
        "factor": one.factor,
        "error_kind": one.error.value,
        "error": one.error_in_words,
        "error_size": None if one.error_card is None else card(one.error_card).number,
        "made_from": one.made_from,
        "lower_limit": one.limit(one.lower_limit_card),
        "upper_limit": one.limit(one.upper_limit_card),
        "cards": list(one.cards),
        "placeholders": list(one.placeholders),
    }
