"""The figures of the paper: each drawn from the study's tables, with the numbers that it draws."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cortiscope.errors import InputError
from cortiscope.mappings.kinds import TOGETHER
from cortiscope.report.figure_matrices import model_by_area, trained_vs_untrained
from cortiscope.report.figure_scores import accuracy_vs_score, layer_depth, plain
from cortiscope.report.figure_style import measure, save, styled
from cortiscope.report.tables import write_csv

GROUP = ["mapping", "area"]
TABLES = ("layers", "accuracy_vs_brain", "correlations", "contrasts")
FIGURES = ("accuracy_vs_score", "layer_depth", "model_by_area", "trained_vs_untrained")
POINTS = [
    "mapping", "area", "model", "family", "architecture", "training", "top1", "best_layer",
    "score", "score_low", "score_high", "ceiling", "ceiling_p",
]  # fmt: skip
CURVES = [
    "mapping", "area", "model", "family", "architecture", "training", "layer", "layer_index",
    "depth", "score", "score_low", "score_high", "ceiling", "ceiling_p",
]  # fmt: skip


def read_tables(paths: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """Read the study's tables; labels stay text, also where they look like numbers."""
    labels = dict.fromkeys(
        ("model", "family", "architecture", "training", "mapping", "area", "layer", "best_layer",
         "trained_model", "untrained_model", "models"),
        str,
    )  # fmt: skip
    tables = {}
    for name, path in paths.items():
        tables[name] = pd.read_csv(path, dtype=labels, keep_default_na=False, na_values=[""])
    return tables


def draw(
    name: str, tables: Mapping[str, pd.DataFrame], comparison: str = "spearman"
) -> tuple[Figure, pd.DataFrame]:
    """Draw one of FIGURES, within `styled`; returns it with the table of what it shows.

    tables: layers, accuracy_vs_brain, correlations, contrasts. comparison: of dissimilarities, as
    in the config.
    Errors: InputError for an unknown figure.
    """
    layers, headline = tables["layers"], tables["accuracy_vs_brain"]
    measures = {mapping: measure(mapping, comparison) for mapping in headline["mapping"].unique()}
    if name == "accuracy_vs_score":
        architectures = layers.drop_duplicates("model").set_index("model")["architecture"]
        models = headline.assign(architecture=headline["model"].map(architectures))
        figure = accuracy_vs_score(models, tables["correlations"], measures)
        return figure, _with_correlations(models, tables["correlations"])
    if name == "layer_depth":
        curves = _curves(layers)
        drawn = {mapping: measures[mapping] for mapping in curves["mapping"].unique()}
        return layer_depth(curves, drawn), curves
    if name == "model_by_area":
        return model_by_area(headline, measures)
    if name == "trained_vs_untrained":
        areas = list(headline["area"].unique())
        return trained_vs_untrained(tables["contrasts"], measures, areas), tables["contrasts"]
    raise InputError("figure", f"unknown figure {name!r}", f"use one of {', '.join(FIGURES)}")


def _curves(layers: pd.DataFrame) -> pd.DataFrame:
    """The scores of single layers; where no mapping has any, those of all layers together."""
    single = layers[layers["layer"] != TOGETHER]
    return (layers if single.empty else single)[CURVES]


def _with_correlations(models: pd.DataFrame, correlations: pd.DataFrame) -> pd.DataFrame:
    """The points of accuracy_vs_score, each with the correlation that its panel states."""
    stated = plain(correlations)
    stated = stated[[*GROUP, "r", "r_low", "r_high", "p_value", "n_models"]]
    points = models.dropna(subset=["top1", "score"])[POINTS]
    return points.merge(stated, on=GROUP, how="left", validate="many_to_one")


def make(
    name: str,
    tables: Mapping[str, str],
    outputs: tuple[str, str, str],
    settings: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> None:
    """Draw a figure from tables' files to (svg, png, source csv).

    settings: font_size in points, dpi of the PNG, comparison of dissimilarities.
    """
    svg, png, source = outputs
    with styled(settings["font_size"]):
        figure, shown = draw(name, read_tables(tables), settings["comparison"])
        save(figure, svg, png, settings["dpi"], provenance)
    write_csv(shown, source)
