"""Figures, each drawn from the study's tables, with the numbers that it draws.

A figure is a module of `figures`, found by its name, whose `draw` says all of it.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cortiscope.errors import InputError
from cortiscope.report import figures
from cortiscope.report.figure_style import save, styled
from cortiscope.report.house_style import measure
from cortiscope.report.pages import Page
from cortiscope.report.tables import read_tables, write_csv


def draw(
    page: Page, tables: Mapping[str, pd.DataFrame], comparison: str = "spearman"
) -> tuple[Figure, pd.DataFrame]:
    """Draw a page of a figure, within `styled`; returns it with the table of what it shows.

    tables: at least those that the figure reads (see `plan`). comparison: of dissimilarities, as
    in the config.
    Errors: InputError for an unknown figure.
    """
    known = [found.name for found in pkgutil.iter_modules(figures.__path__)]
    if page.figure not in known:
        problem = f"unknown figure {page.figure!r}"
        raise InputError("figure", problem, f"use one of {', '.join(known)}")
    module = importlib.import_module(f"{figures.__name__}.{page.figure}")
    measures = {mapping: measure(mapping, comparison) for mapping in page.mappings}
    figure, shown = module.draw(page, tables, measures)
    return figure, shown


def make(
    page: Page,
    tables: Mapping[str, str],
    outputs: tuple[str, str, str],
    settings: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> None:
    """Draw a page of a figure from tables' files to (svg, png, source csv).

    settings: font_size in points, dpi of the PNG, comparison of dissimilarities.
    """
    svg, png, source = outputs
    with styled(settings["font_size"]):
        figure, shown = draw(page, read_tables(tables), settings["comparison"])
        save(figure, svg, png, settings["dpi"], provenance)
    write_csv(shown, source)
