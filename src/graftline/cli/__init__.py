"""The commands of `graftline`. Nothing heavy is imported before Ctrl-C is looked after."""

from __future__ import annotations

import sys

INTERRUPTED = 130
"""exit code of a run that was interrupted, as shells count it"""


def main() -> None:
    """Run one command and leave with its exit code: 0 done, 1 fault of the surroundings, 2 wrong input."""
    sys.exit(run())


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; faults are told on standard error, never as a traceback."""
    try:
        from .app import run_command  # loading takes seconds, in which Ctrl-C must end as quietly as later

        return run_command(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
