"""Which layers of a network to record: the table of those that its selector takes, or of all.

python -m cortiscope.layers shapenet5_brief
python -m cortiscope.layers --models config/models.tsv --output resources/layers
"""

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from cortiscope.errors import InputError
from cortiscope.files import replacing
from cortiscope.networks import layer_tables, networks
from cortiscope.networks.outputs import as_text
from cortiscope.networks.pooling import NONE, pooled_shape, unpoolable
from cortiscope.networks.rows import preprocessing, weights
from cortiscope.networks.selectors import KINDS, meant, select
from cortiscope.networks.sources.kinds import kind_of
from cortiscope.networks.tracing import Call, trace
from cortiscope.suggestions import near

MODELS = Path(__file__).parents[1] / "config" / "models.tsv"


def layer_table(model: Mapping[str, str]) -> list[dict[str, object]]:
    """The selected layers of a model in execution order; columns as in `layer_tables.read_table`.

    model: a row of the models table. The network is traced on torch's meta device, without
    arithmetic; one that cannot be is run once on the CPU. Raises InputError for an unknown
    architecture or layer.
    """
    network, calls = traced(model)
    total = sum(parameter.numel() for parameter in network.parameters())
    # With the image, which waits beside what a call holds.
    image = math.prod(networks.input_shape(model, network))
    chosen = _pooled(meant(network, calls, model["layers"], _where(model)), model)
    about = {
        "model_parameters": total,
        "model_widest": max(call.n_features for call in calls) + image,
        "model_unrecorded": unrecorded(chosen),
        **networks.shown(model, network),
    }
    return [
        {
            "layer": call.name,
            "index": index,
            "depth": depth(call, calls),
            "kind": call.kind,
            "shape": as_text(call.shape),
            "n_features": call.n_features,
            "parameters": call.parameters,
            **about,
        }
        for index, call in enumerate(call for call in chosen if not call.unrecorded)
    ]


def _pooled(chosen: Sequence[Call], model: Mapping[str, str]) -> list[Call]:
    """The calls with the shapes that are left after the row's pooling, or why it cannot be done.

    Raises InputError where none is left that can be recorded.
    """
    kind = model.get("pooling") or NONE
    found = [
        call
        if call.unrecorded
        else replace(call, unrecorded=why)
        if (why := unpoolable(call.shape, kind))
        else replace(call, shape=pooled_shape(call.shape, kind))
        for call in chosen
    ]
    if all(call.unrecorded for call in found):
        where = f"models table: {model['model']}: pooling"
        raise InputError(where, unrecorded(found), "choose other layers, or another pooling")
    return found


def unrecorded(chosen: Sequence[Call]) -> str:
    """The first of some calls that cannot be recorded, why, and how many more there are."""
    left_out = [call for call in chosen if call.unrecorded]
    if not left_out:
        return ""
    more = f", and {len(left_out) - 1} more are not" if len(left_out) > 1 else ""
    return f"{left_out[0].name} is not recorded, as it {left_out[0].unrecorded}{more}"


def depth(call: Call, calls: Sequence[Call]) -> float:
    """From 0, the network's first operation, to 1, its last."""
    return round(call.position / max(1, max(other.position for other in calls)), 6)


def listing(model: Mapping[str, str]) -> str:
    """All layers of a model in execution order, as text for people.

    Those that the row's selector takes have a star; those that it would take if they could be
    recorded, and all others that cannot, say why not.
    """
    network, calls = traced(model)
    chosen = {call.name for call in select(network, calls, model["layers"], _where(model))}
    lines = [("", "layer", "class", "shape", "features", "depth", "")]
    for call in calls:
        features = "" if call.unrecorded else str(call.n_features)
        why = call.unrecorded and f"not recorded: it {call.unrecorded}"
        star = "*" if call.name in chosen else ""
        about = call.name, call.kind, as_text(call.shape), features, f"{depth(call, calls):.3f}"
        lines.append((star, *about, why))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    taken = f"{model['model']}: {len(chosen)} of {len(calls)} layers (*) by {model['layers']!r}"
    also = [
        f"{word!r} takes more than the layer of that name, which is {word}#1 in a selector"
        for word in KINDS
        if word in {call.name for call in calls}
    ]
    return "\n".join([taken, *also, *shown])


def traced(model: Mapping[str, str]) -> tuple[nn.Module, list[Call]]:
    """The network of a model, its values unset, and the calls of one pass through it."""
    shape = networks.input_shape(model)
    for built_on, traced_on in (("meta", "meta"), ("cpu", "meta"), ("cpu", "cpu")):
        try:
            with torch.device(built_on):
                network = networks.architecture(model).eval().to(traced_on)
            shape = networks.input_shape(model, network)
            calls = with_heads(trace(network, shape), networks.source(model).heads())
        except Exception as error:  # whatever a network or its constructor does that needs values
            failure = error
            continue
        if all(call.unrecorded for call in calls):
            raise InputError(
                f"models table: {model['model']}: architecture",
                "no module in the network gives a tensor of stimuli in a pass",
                "return one that holds its layers as modules, such as nn.Sequential",
            )
        return network, calls
    if isinstance(failure, InputError):  # which the CPU gives as well, so that it is true
        raise failure
    raise InputError(
        f"models table: {model['model']}",
        f"an image {shape} does not pass through the network ({first_line(failure)})",
        "check architecture and preprocessing (channels=1 where it takes grey images)",
    ) from failure


def with_heads(calls: list[Call], heads: tuple[str, ...] | None) -> list[Call]:
    """The calls, those of modules that are said to be heads marked as such, beside what follows.

    Where there is said to be none, nothing is: the last block may end as a head does.
    """
    if heads is None:
        return calls
    said = {
        call.name
        for call in calls
        if any(f"{call.module}.".startswith(f"{head}.") for head in heads)
    }
    return [
        replace(call, of_head=bool(heads) and (call.of_head or call.name in said)) for call in calls
    ]


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _where(model: Mapping[str, str]) -> str:
    return f"models table: {model['model']}: layers"


def write_tables(models: Sequence[Mapping[str, str]], folder: Path) -> None:
    """Write the missing layer tables of models, one file a digest.

    Raises InputError, beside those of `layer_table`, for unknown names of weights.
    """
    for model in models:  # before any preprocessing is looked up that has its name from them
        networks.published_accuracy(model)
    for number, model in enumerate(models, start=1):
        path = folder / f"{layer_tables.digest(model)}.csv"
        if not path.is_file():
            print(f"{number}/{len(models)} {model['model']}", file=sys.stderr, flush=True)
            table = layer_table(model)
            if table[0]["model_unrecorded"]:
                about = f"{model['model']}: layer {table[0]['model_unrecorded']}"
                print(f"warning: model {about}", file=sys.stderr, flush=True)
            if table[0]["model_warning"]:
                about = f"warning: model {model['model']}: {table[0]['model_warning']}"
                print(about, file=sys.stderr, flush=True)
            with replacing(path) as temporary:
                temporary.write_text(layer_tables.dump_table(table))


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Show the layers of a network, or write the missing layer tables of networks."
    )
    parser.add_argument("model", nargs="?", help="a model of the table, whose layers to show")
    parser.add_argument(
        "--models", type=Path, help=f"models table (default: {MODELS}, or standard input)"
    )
    parser.add_argument("--output", type=Path, help="folder of the tables to write")
    options = parser.parse_args()
    if bool(options.model) == bool(options.output):
        parser.error("name a model, or give --output")
    try:
        if options.model:
            print(listing(_row(options.model, options.models or MODELS)))
        elif options.models:
            rows = _read_models(options.models)
            write_tables([row for row in rows if kind_of(row).network], options.output)
        else:  # what a study writes to standard input, it filled in
            write_tables(layer_tables.load_models(sys.stdin.read()), options.output)
    except InputError as error:
        raise SystemExit(f"error: {error}") from error


def _read_models(table: Path) -> list[dict[str, str]]:
    if not table.is_file():
        raise InputError(str(table), "no such models table", "check the path")
    models = layer_tables.load_models(table.read_text())
    # Or says that there is no such source.
    models = [model | {"weights": weights(model)} for model in models]
    return [model | {"preprocessing": preprocessing(model, models)} for model in models]


def _row(name: str, table: Path) -> dict[str, str]:
    models = {model["model"]: model for model in _read_models(table)}
    if name not in models:
        raise InputError(str(table), f"has no model {name!r}", f"near: {near(name, models)}")
    if not kind_of(models[name]).network:
        raise InputError(
            f"{table}: {name}", "has no network", "its layers are what its features are called"
        )
    return models[name]


if __name__ == "__main__":
    main()
