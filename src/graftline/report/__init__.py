"""Results of simulated trials as one page that opens anywhere: tables and figures, no decisions."""

from .comparison import ComparisonRow, Kind, compare
from .page import write_report
from .results import Results, read_results

__all__ = ["ComparisonRow", "Kind", "Results", "compare", "read_results", "write_report"]
