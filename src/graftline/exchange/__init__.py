"""Data sets in the field's formats, and the folder that holds them. No decisions."""

from .adam import tables
from .courses import bands, course_table
from .example import example_patient
from .folder import merge_parts, missing_parts, open_folder, part_path, write_json, write_part, write_table
from .journey import JOURNEY_SCHEMA, journey_table
from .one_patient import BAND_SCHEMA, Chance, ChanceRow, OutcomeRow, Spread, chance_rows, course_bands, outcome_rows
from .plausibility import refusal_table
from .recipe import code_digest, parameter_digest
from .summary import replicate_table

__all__ = [
    "BAND_SCHEMA",
    "JOURNEY_SCHEMA",
    "Chance",
    "ChanceRow",
    "OutcomeRow",
    "Spread",
    "bands",
    "chance_rows",
    "code_digest",
    "course_bands",
    "course_table",
    "example_patient",
    "journey_table",
    "merge_parts",
    "missing_parts",
    "open_folder",
    "outcome_rows",
    "parameter_digest",
    "part_path",
    "refusal_table",
    "replicate_table",
    "tables",
    "write_json",
    "write_part",
    "write_table",
]
