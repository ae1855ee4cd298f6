"""The page of a study: one file that holds its answer, charts, tables, stimuli and methods.

It asks nothing of anyone: scripts, pictures and numbers stand in it, and a policy in its head
forbids the browser any request.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import vl_convert

from cortiscope.files import replacing
from cortiscope.report.house_style import measure
from cortiscope.report.page import data
from cortiscope.report.page.answer import Part, answer, lead
from cortiscope.report.page.charts import Scene, charts
from cortiscope.report.page.gallery import gallery
from cortiscope.report.page.methods import methods, references
from cortiscope.report.tables import read_tables

FOLDER = Path(__file__).parent
LIBRARY = "window.vegaEmbed = vegaEmbed;"  # all that the page asks of the bundled scripts


def write(
    path: str,
    tables: Mapping[str, str],
    scores: str,
    model_layers: Sequence[str],
    stimuli: str,
    settings: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> None:
    """Write the page whole or not at all.

    tables: the study's CSV tables by name. scores: that of neuroids; model_layers: those of the
    models' layers, for their nulls. settings: see `planning.settings.page_settings`.
    """
    read = read_tables(tables)
    headline = read["accuracy_vs_brain"]
    shown = _data(read, scores, model_layers)
    pictures, n_stimuli = gallery(stimuli)
    # The best classifier first, as in the figures.
    ranked = shown["models"].sort_values("top1", ascending=False, na_position="last", kind="stable")
    mappings = list(settings["mappings"])
    measures = {name: measure(name, settings["comparison"]) for name in mappings}
    scene = Scene(ranked["model"].tolist(), list(dict.fromkeys(headline["area"])), mappings)
    text = _template().render(
        study=provenance["study"],
        scene=scene,
        n_stimuli=n_stimuli,
        families=list(dict.fromkeys(headline["family"].dropna())),
        measures=measures,
        lead=lead(read),
        parts=[(part.question, _by_mapping(part)) for part in _answer(read, settings)],
        pictures=pictures,
        methods=methods(settings, headline, provenance),
        references=references(settings),
        mappings=settings["mappings"],
        provenance=_provenance(provenance),
        has=_has(shown),
        style=(FOLDER / "page.css").read_text(encoding="utf-8"),
        **_scripts(scene, measures, shown),
    )
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _scripts(
    scene: Scene, measures: Mapping[str, str], shown: Mapping[str, pd.DataFrame]
) -> dict[str, str]:
    """What the page's script elements hold."""
    return {
        "specifications": _inside(json.dumps(charts(scene), separators=(",", ":"))),
        "measures_data": _inside(json.dumps(measures)),
        "data": data.packed(shown),
        "library": vl_convert.javascript_bundle(LIBRARY).replace("</script", "<\\/script"),
        "script": (FOLDER / "page.js").read_text(encoding="utf-8"),
    }


def _answer(tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> list[Part]:
    every = settings["mappings"].values()
    bootstraps = max(row["settings"]["statistics"]["bootstraps"] for row in every)
    return answer(tables, bootstraps)


def _by_mapping(part: Part) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for said in part.said:
        grouped.setdefault(said.mapping, []).append(said.text)
    return grouped


def _data(
    tables: Mapping[str, pd.DataFrame], scores: str, model_layers: Sequence[str]
) -> dict[str, pd.DataFrame]:
    headline, layers = tables["accuracy_vs_brain"], tables["layers"]
    one = layers.drop_duplicates("model")
    architecture = dict(zip(one["model"], one["architecture"], strict=True))
    neuroids, reliability = data.neuroids(scores, headline)
    return {
        "models": data.models(headline, architecture),
        "scores": data.scores(headline, tables["correlations"], data.chances(model_layers)),
        "layers": data.layers(layers, headline),
        "contrasts": data.contrasts(tables["contrasts"]),
        "hierarchy": data.hierarchy(tables["hierarchy"]),
        "neuroids": neuroids,
        "reliability": reliability,
    }


def _has(shown: Mapping[str, pd.DataFrame]) -> dict[str, bool]:
    """Which charts have anything to show."""
    scores = shown["scores"]
    return {
        "accuracy": bool(shown["models"]["top1"].notna().any()),
        "depth": len(shown["layers"]) > 0,
        "map": True,
        "size": True,
        "training": len(shown["contrasts"]) > 0,
        "hierarchy": len(shown["hierarchy"]) > 0,
        "chance": bool(scores["chance"].notna().any() or scores["ceiling"].notna().any()),
        "reliability": bool(shown["reliability"]["count"].sum() > 0),
    }


def _provenance(provenance: Mapping[str, Any]) -> dict[str, str]:
    """What the page says of its own making; settings as they stand in every file."""
    packages = json.loads(provenance["packages"])
    return {
        "study": provenance["study"],
        "commit": provenance["git_commit"],
        "code of the page": provenance["code"],
        "versions": ", ".join(f"{name} {version}" for name, version in packages.items()),
        "settings": json.dumps(json.loads(provenance["settings"]), indent=1, ensure_ascii=False),
    }


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["tight"] = tight
    return environment.get_template("page.html")


def tight(text: str) -> str:
    """No line ends within `p = 0.01`, `95 %` or `8 networks`."""
    text = re.sub(r"\b([prnρ]) ([=<]) ", "\\1\u00a0\\2\u00a0", text)
    return re.sub(r"(?<=\d) (?=%|network)", "\u00a0", text)


def _inside(text: str) -> str:
    """JSON as it may stand inside a script element."""
    return text.replace("<", "\\u003c")
