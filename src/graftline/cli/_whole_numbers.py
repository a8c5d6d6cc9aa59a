"""Whole numbers given on the command line: read, or refused in the words of every other fault."""

from __future__ import annotations

from collections.abc import Callable

from ..base.errors import Fault, InputError


def whole_number(option: str, example: int) -> Callable[[str], int]:
    """A reader for `typer.Option(parser=...)`: the number, or an InputError that names the option and an example."""

    def read(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            fault = Fault(option, f"{text!r} is no whole number", f"write for example {example}")
            raise InputError(fault) from None

    return read
