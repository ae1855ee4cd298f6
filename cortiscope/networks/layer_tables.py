"""Cached tables of a model's layers, found by a digest; read where torch is not installed."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from cortiscope.errors import InputError
from cortiscope.networks.own_code import WRITE, file_of, with_imports
from cortiscope.networks.sources.kinds import kind_of
from cortiscope.networks.weight_names import is_named

# Their text is part of the digest, as is that of the module of the row's source: an edit of what
# lists the layers lists them anew, which reruns jobs only of networks whose layers are then others.
LISTED_BY = (
    "networks/layer_tables",
    "layers",
    "networks/data_flow",
    "networks/first_look",
    "networks/networks",
    "networks/outputs",
    "networks/own_code",
    "networks/pooling",
    "networks/preprocessing",
    "networks/selectors",
    "networks/sources/source",
    "networks/tracing",
)
COLUMNS = (
    "layer",
    "index",
    "depth",
    "kind",
    "shape",
    "n_features",
    "parameters",
    "model_parameters",
    "model_widest",
    "model_preprocessing",
    "model_preprocessing_source",
    "model_warning",
    "model_unrecorded",
)
MODEL_COLUMNS = (
    "model",
    "source",
    "architecture",
    "weights",
    "seed",
    "layers",
    "preprocessing",
    "pooling",
)
DEFAULTS = {"weights": "none", "seed": "0", "layers": "blocks", "preprocessing": "auto"}


def digest(model: Mapping[str, str]) -> str:
    """16 hexadecimal digits naming the layer table of a model.

    Of the architecture (where it is code of the user's, its text and that of what it imports),
    the selector, the pooling, and what is checked only as a table is made: the preprocessing, and
    the name of weights. Not of the seed and of weights in a file, so that networks of one
    architecture share a table.
    """
    architecture = model["architecture"]
    if kind_of(model).own_code:
        path, function = file_of(architecture), architecture.partition(":")[2]
        if not Path(path).is_file():
            raise InputError(
                f"models table: {model.get('model', '')}: architecture",
                f"no file {path!r}",
                WRITE,
            )
        texts = b"".join(Path(file).read_bytes() for file in with_imports(path))
        architecture = f"{hashlib.sha256(texts).hexdigest()}:{function}"
    weights = model["weights"] if is_named(model["weights"]) else ""
    selected = [model["layers"], model["preprocessing"], weights]
    pooling = model.get("pooling", "")
    parts = [_code(model["source"]), model["source"], architecture, *selected, pooling]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


@cache
def _code(source: str) -> str:
    names = (*LISTED_BY, f"networks/sources/{source}")
    texts = [Path(__file__).parents[1].joinpath(f"{name}.py").read_bytes() for name in names]
    return hashlib.sha256(b"".join(texts)).hexdigest()


def read_table(path: str | Path) -> list[dict[str, str]]:
    """Rows, in execution order, of text columns:

    layer: the name of a module's call (`relu`, `relu#2`); index: 0, 1, ... within the table;
    depth: 0 (the network's first operation) to 1 (its last); kind: the module's class; shape: of
    its output for one stimulus, as 64x55x55; n_features: the product of shape; parameters: of the
    module, children included; model_parameters: of the whole network; model_widest: the largest
    n_features of all its calls, recorded or not, and the numbers of its image; model_unrecorded:
    of what the selector means, the first that cannot be recorded, why, and how many more there are;
    empty where there is none. `python -m cortiscope.layers MODEL` names all. model_preprocessing:
    how stimuli are shown to it, as words of the models table; model_preprocessing_source: `given`
    there, `own` or `assumed`; model_warning: of what is odd in that, else empty.
    """
    if not Path(path).is_file():
        raise InputError(str(path), "no such layer table", "make it: python -m cortiscope.layers")
    with Path(path).open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    if not rows or set(COLUMNS) - set(rows[0]):
        raise InputError(str(path), "is not a layer table", "delete it; the next run makes it")
    return rows


def dump_table(rows: Iterable[Mapping[str, object]]) -> str:
    """A layer table as the text of its CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def dump_models(models: Iterable[Mapping[str, str]]) -> str:
    """Rows of the models table as text that `python -m cortiscope.layers` reads."""
    text = io.StringIO()
    writer = csv.DictWriter(
        text, MODEL_COLUMNS, delimiter="\t", lineterminator="\n", extrasaction="ignore"
    )
    writer.writeheader()
    writer.writerows(models)
    return text.getvalue()


def load_models(text: str) -> list[dict[str, str]]:
    """Rows of a models table; empty or absent cells get their defaults."""
    rows = csv.DictReader(io.StringIO(text), delimiter="\t")
    return [DEFAULTS | {key: value for key, value in row.items() if value} for row in rows]
