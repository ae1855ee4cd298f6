"""The figures of the paper: each drawn from the study's tables, with the numbers that it draws."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cortiscope.errors import InputError
from cortiscope.report.best_layers import GROUP
from cortiscope.report.figure_matrices import model_by_area
from cortiscope.report.figure_pairs import differences, trained_vs_untrained
from cortiscope.report.figure_scores import accuracy_vs_score, layer_depth, plain
from cortiscope.report.figure_style import measure, save, styled
from cortiscope.report.pages import DIFFERENCES, FIGURES, Page
from cortiscope.report.tables import write_csv

TABLES = ("layers", "accuracy_vs_brain", "correlations", "contrasts", "subjects")
POINTS = [
    "mapping", "area", "model", "family", "architecture", "training", "top1", "best_layer",
    "score", "score_low", "score_high", "ceiling", "score_of_ceiling",
]  # fmt: skip
CURVES = [
    "mapping", "area", "model", "family", "architecture", "training", "layer", "layer_index",
    "depth", "score", "score_low", "score_high", "ceiling", "score_of_ceiling",
]  # fmt: skip


def read_tables(paths: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """Read the study's tables; labels stay text, also where they look like numbers."""
    labels = dict.fromkeys(
        ("model", "family", "architecture", "training", "mapping", "area", "layer", "best_layer",
         "trained_model", "untrained_model", "models", "subject"),
        str,
    )  # fmt: skip
    tables = {}
    for name, path in paths.items():
        tables[name] = pd.read_csv(path, dtype=labels, keep_default_na=False, na_values=[""])
    return tables


def draw(
    page: Page, tables: Mapping[str, pd.DataFrame], comparison: str = "spearman"
) -> tuple[Figure, pd.DataFrame]:
    """Draw a page of a figure, within `styled`; returns it with the table of what it shows.

    tables: those named in TABLES. comparison: of dissimilarities, as
    in the config.
    Errors: InputError for an unknown figure.
    """
    measures = {mapping: measure(mapping, comparison) for mapping in page.mappings}
    headline, contrasts = tables["accuracy_vs_brain"], tables["contrasts"]
    if page.figure == "accuracy_vs_score":
        architectures = tables["layers"].drop_duplicates("model").set_index("model")["architecture"]
        models = headline.assign(architecture=headline["model"].map(architectures))
        models = _on_page(models, page)
        subjects = tables["subjects"]
        figure = accuracy_vs_score(models, tables["correlations"], measures, subjects)
        return figure, _with_subjects(_with_correlations(models, tables["correlations"]), subjects)
    if page.figure == "layer_depth":
        curves = _on_page(tables["layers"], page)[CURVES]
        return layer_depth(curves, measures), curves
    if page.figure == "model_by_area":
        return model_by_area(headline, measures, page)
    if page.figure == "trained_vs_untrained":
        return trained_vs_untrained(contrasts, measures, page)
    if page.figure == DIFFERENCES:
        return differences(contrasts, measures, page)
    known = ", ".join(FIGURES)
    raise InputError("figure", f"unknown figure {page.figure!r}", f"use one of {known}")


def _on_page(table: pd.DataFrame, page: Page) -> pd.DataFrame:
    return table[table["mapping"].isin(page.mappings) & table["area"].isin(page.areas)]


def _with_correlations(models: pd.DataFrame, correlations: pd.DataFrame) -> pd.DataFrame:
    """The points of accuracy_vs_score, each with the correlations that its panel states."""
    points = models.dropna(subset=["top1", "score"])[POINTS]
    columns = ["r", "r_low", "r_high", "p_value", "n_models"]
    stated = plain(correlations)
    for subset, ending in (("all", ""), ("trained", "_trained")):
        rows = stated[stated["models"] == subset].set_index(GROUP)[columns].add_suffix(ending)
        points = points.join(rows, on=GROUP, validate="many_to_one")
    return points


def _with_subjects(points: pd.DataFrame, subjects: pd.DataFrame) -> pd.DataFrame:
    """With `subject_scores`, every subject and its score in words, where there are subjects."""
    if subjects.empty:
        return points
    known = subjects.dropna(subset=["score"])
    words = known["subject"] + ": " + known["score"].map("{:.6g}".format)
    said = words.groupby([known["model"], *(known[name] for name in GROUP)]).agg("; ".join)
    return points.join(said.rename("subject_scores"), on=["model", *GROUP], validate="many_to_one")


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
