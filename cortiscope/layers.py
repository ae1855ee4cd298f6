"""Which layers of a network to record: selectors, and the table of what they select.

python -m cortiscope.layers shapenet5_brief
python -m cortiscope.layers --models config/models.tsv --output resources/layers
"""

import argparse
import math
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import torch
from torch import nn

from cortiscope.errors import InputError
from cortiscope.files import replacing
from cortiscope.networks import layer_tables, zoo
from cortiscope.networks.data_flow import count_weighted, is_convolution
from cortiscope.networks.outputs import as_text
from cortiscope.networks.tracing import Call, trace
from cortiscope.networks.weight_names import preprocessing
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
    widest = max(call.n_features for call in calls) + math.prod(zoo.input_shape(model, network))
    chosen = meant(network, calls, model["layers"], _where(model))
    about = {
        "model_parameters": total,
        "model_widest": widest,
        "model_unrecorded": unrecorded(chosen),
        **zoo.shown(model, network),
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
    return "\n".join([taken, *shown])


def traced(model: Mapping[str, str]) -> tuple[nn.Module, list[Call]]:
    """The network of a model, its values unset, and the calls of one pass through it."""
    shape = zoo.input_shape(model)
    for built_on, traced_on in (("meta", "meta"), ("cpu", "meta"), ("cpu", "cpu")):
        try:
            with torch.device(built_on):
                network = zoo.architecture(model).eval().to(traced_on)
            shape = zoo.input_shape(model, network)
            calls = trace(network, shape)
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


def select(network: nn.Module, calls: Sequence[Call], selector: str, where: str) -> list[Call]:
    """The calls that a selector names and that can be recorded, in execution order; see `meant`."""
    return [call for call in meant(network, calls, selector, where) if not call.unrecorded]


def meant(network: nn.Module, calls: Sequence[Call], selector: str, where: str) -> list[Call]:
    """The calls that a selector names, in execution order, also those that cannot be recorded.

    selector: comma-separated, each `conv` (every convolution), `blocks` (see `blocks`), `all`
        (every module without children), a glob (`features.*`), or the name of a call; `/3` after
        any of them takes every third. Classifier heads (convolutions and linear maps after which
        nothing with parameters comes, and all that is computed from theirs) are left out unless a
        name names them.
    where: for messages. Raises InputError for an unknown name, with the nearest ones, and where
    nothing that is meant can be recorded.
    """
    body = [call for call in calls if not call.of_head]
    chosen: set[str] = set()
    for item in selector.split(","):
        pattern, _, step = item.strip().partition("/")
        if step and not (step.isdigit() and int(step) > 0):
            raise InputError(where, f"{item.strip()!r} has no step", "write a number: conv/3")
        found = matching(network, calls, body, pattern, where)
        chosen.update(call.name for call in found if call.unrecorded)
        recorded = [call.name for call in found if not call.unrecorded]
        chosen.update(recorded[:: int(step or 1)])
    return [call for call in calls if call.name in chosen]


def matching(
    network: nn.Module, calls: Sequence[Call], body: Sequence[Call], pattern: str, where: str
) -> list[Call]:
    """The calls that one part of a selector means, in execution order."""
    modules = dict(network.named_modules())
    kinds: dict[str, Callable[[], Iterable[Call]]] = {
        "conv": lambda: (call for call in body if is_convolution(modules[call.module])),
        "all": lambda: (call for call in body if call.leaf),
        "blocks": lambda: blocks(network, body),
    }
    if pattern in kinds:
        found = list(kinds[pattern]())
    elif any(sign in pattern for sign in "*?["):
        found = [call for call in body if fnmatchcase(call.name, pattern)]
    else:
        found = [call for call in calls if call.name == pattern]
    if not all(call.unrecorded for call in found):
        return found
    if found or pattern in modules:
        why = "".join(f": {call.name} {call.unrecorded}" for call in found[:1])
        raise InputError(
            where, f"{pattern!r} gives no tensor of stimuli in a pass{why}", "choose another layer"
        )
    if pattern in kinds:
        raise InputError(
            where,
            f"{pattern!r} matches none of the network's {len(calls)} layers",
            f"name some, such as {', '.join(call.name for call in calls[:3])}",
        )
    names = [*(call.name for call in calls), *kinds]
    raise InputError(where, f"{pattern!r} matches no layer", f"near: {near(pattern, names)}")


def blocks(network: nn.Module, calls: Sequence[Call]) -> list[Call]:
    """The units that architectures are drawn with: residual, fire, dense, transformer blocks.

    Going down from the network, a module with children is a block if it holds a convolution or
    linear map; but plain sequences of several, and modules that hold a sequence of several blocks
    (see `is_stage`, and `DataFlow.in_sequence` for those that only the pass shows), are stages and
    gone through. Convolutions and linear maps met on the way (the stem, or all
    layers of a plain network) count as well.
    """
    sequences = {call.module.rpartition(".")[0] for call in calls if call.in_sequence}
    wanted = set(_block_names(network, "", sequences))
    return [call for call in calls if call.module in wanted]


def _block_names(module: nn.Module, prefix: str, sequences: Collection[str]) -> list[str]:
    names: list[str] = []
    for name, child in module.named_children():
        path = f"{prefix}{name}"
        weighted = count_weighted(child)
        if weighted == 0:
            continue
        below = {other for other in sequences if f"{other}.".startswith(f"{path}.")}
        if not list(child.children()) or weighted == 1 or not (below or is_stage(child)):
            names.append(path)
        else:
            names.extend(_block_names(child, f"{path}.", below))
    return names


def is_stage(module: nn.Module) -> bool:
    """A plain sequence, or a module that holds a sequence of at least two blocks."""
    if type(module) in (nn.Sequential, nn.ModuleList):
        return True
    sequences = (
        part for part in module.modules() if isinstance(part, nn.Sequential | nn.ModuleList)
    )
    return any(
        sum(count_weighted(child) > 1 for child in part.children()) > 1 for part in sequences
    )


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _where(model: Mapping[str, str]) -> str:
    return f"models table: {model['model']}: layers"


def write_tables(models: Sequence[Mapping[str, str]], folder: Path) -> None:
    """Write the missing layer tables of models, one file a digest.

    Raises InputError, beside those of `layer_table`, for unknown names of weights.
    """
    for model in models:  # before any preprocessing is looked up that has its name from them
        zoo.published_accuracy(model)
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
        description="Show the layers of a network, or write the missing layer tables of a zoo."
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
            write_tables(_read_models(options.models), options.output)
        else:  # what a study writes to standard input, it filled in
            write_tables(layer_tables.load_models(sys.stdin.read()), options.output)
    except InputError as error:
        raise SystemExit(f"error: {error}") from error


def _read_models(table: Path) -> list[dict[str, str]]:
    if not table.is_file():
        raise InputError(str(table), "no such models table", "check the path")
    models = layer_tables.load_models(table.read_text())
    return [model | {"preprocessing": preprocessing(model, models)} for model in models]


def _row(name: str, table: Path) -> dict[str, str]:
    models = {model["model"]: model for model in _read_models(table)}
    if name not in models:
        raise InputError(str(table), f"has no model {name!r}", f"near: {near(name, models)}")
    return models[name]


if __name__ == "__main__":
    main()
