"""What figures and the page share: colours, markers, the names of scores, how numbers look.

Without Matplotlib, which the page does not need.
"""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from cortiscope.mappings.kinds import MAPPINGS

# Okabe and Ito, Color Universal Design (2008), without black, which axes and text are drawn in.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#B8A800")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
OTHER = ("0.6", "<")  # families beyond the palette
LABELLED = 12  # with more models than this, names would cover the points
COMPARISONS = {
    "spearman": "RDM Spearman ρ",
    "pearson": "RDM Pearson r",
    "kendall": "RDM Kendall τ-a",
    "cosine": "RDM cosine",
}


def measure(mapping: str, comparison: str) -> str:
    """What the score of a mapping is; comparison: of dissimilarities, as in the config."""
    return MAPPINGS[mapping].measure or COMPARISONS[comparison]


def number(value: float) -> str:
    """With two digits, a minus sign as long as a plus, and none before zero."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


@functools.cache
def p_text(p: float) -> str:
    """A p-value as it follows the letter p, such as `= 0.012` or `< 0.001`."""
    if not np.isfinite(p):
        return "n/a"
    return "< 0.001" if p < 0.001 else f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"


def records(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows of a table, its columns as attributes."""
    yield from frame.itertuples(index=False)


def model_looks(
    models: pd.DataFrame,
) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]]]:
    """Model to colour and marker, and the legend's groups to theirs.

    models: columns model, family, architecture, training. Few models are told apart one by one,
    twins by how they are filled: then there are no groups. Many are told apart by family, or those
    of one family by architecture; beyond seven groups, the smallest share a grey.
    """
    if len(models) <= LABELLED:
        return _single_looks(models), {}
    key = "family" if models["family"].nunique() > 1 else "architecture"
    counts = models[key].value_counts(sort=True)
    order = list(dict.fromkeys(models[key]))
    largest = sorted(order, key=lambda group: (-counts[group], order.index(group)))
    own = set(largest[: len(PALETTE)])
    named = [group for group in order if group in own]
    groups = dict(zip(named, zip(PALETTE, MARKERS, strict=False), strict=False))
    looks = {
        model: groups.get(group, OTHER)
        for model, group in zip(models["model"], models[key], strict=True)
    }
    return looks, groups | ({"other": OTHER} if len(order) > len(own) else {})


def _single_looks(models: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """A marker for every model but twins, a colour for every architecture until they run out."""
    architectures = list(dict.fromkeys(models["architecture"]))
    seen: dict[tuple[str, str], int] = {}
    markers: dict[tuple[str, int], str] = {}
    looks = {}
    for row in records(models):
        architecture = str(row.architecture)
        kind = (architecture, str(row.training))
        again = seen[kind] = seen.get(kind, -1) + 1
        marker = markers.setdefault((architecture, again), MARKERS[len(markers)])
        colour = PALETTE[architectures.index(architecture) % len(PALETTE)]
        looks[str(row.model)] = (colour, marker)
    return looks
