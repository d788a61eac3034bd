"""Results as a page and as a few lines: one self-contained HTML file, one terminal summary."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.results import Results


def report_html(results: "Results", figures: Mapping[str, bytes]) -> str:
    """Return the report of a run as one HTML page that needs no network.

    Parameters
    ----------
    results : Results
    figures : mapping of str to bytes
        As `simulator.figures.figure_files` returns them; of each the SVG is used.
    """
    from simulator.report.page import page_html

    return page_html(results, figures)
