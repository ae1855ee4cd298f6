"""The figures there are, what each reads and its pages: known before anything is drawn.

No figure imports this, so that another one draws none of them anew.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.networks.twins import twins
from cortiscope.report.pages import Page, cell_pages, pair_names, pair_pages, panel_pages


@dataclass(frozen=True)
class Study:
    """What pages are planned by. models: by name, as for `twins`. font_size: in points."""

    areas: list[str]
    mappings: list[str]
    models: Mapping[str, Mapping[str, Any]]
    font_size: float


@dataclass(frozen=True)
class Figure:
    """tables: what it reads, by the names of their files. pages: of its name and a study."""

    tables: tuple[str, ...]
    pages: Callable[[str, Study], list[Page]]


def by_area(figure: str, study: Study) -> list[Page]:
    """A panel per area, a row of them per mapping."""
    return panel_pages(figure, study.areas, study.mappings, study.font_size)


def by_depth(figure: str, study: Study) -> list[Page]:
    """The same of mappings that score layers singly, or else of all."""
    curves = [name for name in study.mappings if not MAPPINGS[name].joint] or study.mappings
    return panel_pages(figure, study.areas, curves, study.font_size)


def by_model(figure: str, study: Study) -> list[Page]:
    """A heat map per mapping, a row per model."""
    models = list(study.models)
    return cell_pages(figure, study.areas, study.mappings, models, study.font_size)


def by_pair(figure: str, study: Study) -> list[Page]:
    """A panel per mapping and area, or `differences` in their place."""
    pairs = pair_names(twins(study.models))
    return pair_pages(figure, study.areas, study.mappings, pairs, study.font_size)


# A row per module of `figures`, but for `differences`, which takes the place of another.
FIGURES = {
    "accuracy_vs_score": Figure(
        ("layers", "accuracy_vs_brain", "correlations", "subjects"), by_area
    ),
    "layer_depth": Figure(("layers",), by_depth),
    "model_by_area": Figure(("accuracy_vs_brain",), by_model),
    "trained_vs_untrained": Figure(("contrasts",), by_pair),
}


def plan(
    areas: Sequence[str],
    mappings: Sequence[str],
    models: Mapping[str, Mapping[str, Any]],
    font_size: float,
) -> dict[str, dict[str, Any]]:
    """The pages of all figures by the names of their files: a figure's own, then with _2, _3, ...

    models, font_size: as of a `Study`. A page is as high as a journal's at most. The scores of a
    mapping stay on one page where that has room. Mappings come in the order in which they are
    known, so that another one in the config draws nothing anew.
    """
    known = [mapping for mapping in MAPPINGS if mapping in mappings]
    study = Study(list(areas), known, models, font_size)
    return {
        name if number == 0 else f"{name}_{number + 1}": asdict(page)
        for name, figure in FIGURES.items()
        for number, page in enumerate(figure.pages(name, study))
    }


def tables(page: str) -> tuple[str, ...]:
    """Those that a page reads, which is named as in `plan`."""
    return FIGURES[re.sub(r"_[0-9]+$", "", page)].tables
