"""From a row of the models table to a network, what it wants to see, and how well it classifies."""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cortiscope.errors import InputError
from cortiscope.networks import preprocessing, shapenet, weights
from cortiscope.networks.devices import seeded
from cortiscope.networks.first_look import look
from cortiscope.networks.preprocessing import Preprocessing
from cortiscope.networks.weight_names import is_named
from cortiscope.suggestions import near

Row = Mapping[str, str]


def build(model: Row, weights_path: str | None = None) -> nn.Module:
    """The network of a row of the models table, in evaluation mode, on the CPU, without gradients.

    weights_path: the file to load; None where the row's weights are `none`: then the initial
    values follow from the row's seed alone, and the random states are left as they were.
    Raises InputError for an unknown architecture, weights that do not fit, or a wrong checksum.
    """
    if weights_path is None and model["weights"] != "none":
        raise InputError(_where(model, "weights"), "no file given", "run the weights rule first")
    with seeded(int(model.get("seed") or 0)):
        network = architecture(model)
    if weights_path is not None:
        if model.get("checksum") and Path(weights_path).is_file():
            weights.verify(
                weights_path, model["checksum"], f"model {model['model']}: {weights_path}"
            )
        unused = _torchvision().unused(model) if model["source"] == "torchvision" else ()
        weights.load(network, weights_path, model["model"], unused)
    return network.eval().requires_grad_(False)


def architecture(model: Row) -> nn.Module:
    """The network of a row, in float32, with whatever initial values the random states give."""
    if model["source"] == "zoo":
        return shapenet.build(model["architecture"])
    if model["source"] == "file":
        return _from_file(model)
    return _torchvision().architecture(model, input_shape(model)[1])


def transform(model: Row, network: nn.Module | None = None) -> Preprocessing:
    """What turns stimuli into the network's input; see `Preprocessing`.

    `auto`: for torchvision's architectures the transforms of the row's named weights, else of the
    default ones; for the zoo's networks their own size and normalisation; else as `imagenet`. That
    an untrained network is to see what its trained twin sees, its row says (`read_models`).
    network: of source `file`, which tells of itself what no words say: that it takes one channel,
    and, for `auto`, that it normalises its images itself.
    """
    if model["source"] == "torchvision":
        return _torchvision().transform(model)
    words = model["preprocessing"]
    if words == "auto" and model["source"] == "zoo":
        size = shapenet.INPUT_SIZE
        return Preprocessing(size, size, shapenet.MEAN, shapenet.STANDARD_DEVIATION)
    wanted = preprocessing.parse(
        "imagenet" if words == "auto" else words, _where(model, "preprocessing")
    )
    if network is None or not wanted.size or model["source"] != "file":
        return wanted
    seen = look(network, wanted.size)
    if words == "auto" and seen.normalises:
        wanted = replace(wanted, mean=(0.0,) * 3, std=(1.0,) * 3)
    return wanted.grey() if seen.channels == 1 and "channels=" not in words else wanted


def shown(model: Row, network: nn.Module) -> dict[str, str]:
    """How stimuli are shown to a network, as the columns of its layer table say it."""
    wanted = transform(model, network)
    return {
        "model_preprocessing": wanted.words,
        "model_preprocessing_source": _preprocessing_source(model),
        "model_warning": _normalised_twice(model, network, wanted),
    }


def _preprocessing_source(model: Row) -> str:
    """`given` in the models table, the network's `own`, or `assumed` for want of such."""
    if model["preprocessing"] != "auto":
        return "given"
    named = model["source"] == "torchvision" and is_named(model["weights"])
    return "own" if named or model["source"] == "zoo" else "assumed"


def _normalised_twice(model: Row, network: nn.Module, wanted: Preprocessing) -> str:
    """One line where a network normalises the images that it gets normalised already."""
    plain = set(wanted.mean) == {0} and set(wanted.std) == {1}
    if plain or model["source"] != "file" or not look(network, wanted.size).normalises:
        return ""
    return (
        f"images are normalised twice, by preprocessing {model['preprocessing']!r} and by the"
        " network itself; write `auto`, or words with mean=0 std=1"
    )


def input_shape(model: Row, network: nn.Module | None = None) -> tuple[int, int, int]:
    """Channel, y and x of the network's input."""
    wanted = transform(model, network)
    if not wanted.size:
        raise InputError(
            _where(model, "preprocessing"), "sets no size", "add crop= or resize= in pixels"
        )
    return wanted.channels, wanted.size, wanted.size


def published_accuracy(model: Row) -> tuple[float, float] | None:
    """Top-1 and top-5 accuracy in % (0..100) on ImageNet, of torchvision's named weights."""
    if model["source"] != "torchvision" or not is_named(model["weights"]):
        return None
    return _torchvision().published_accuracy(model)


def _torchvision() -> Any:
    # Here, since importing torchvision doubles the start-up of a job that needs none of it.
    from cortiscope.networks import torchvision_zoo

    return torchvision_zoo


def _from_file(model: Row) -> nn.Module:
    path, _, name = model["architecture"].partition(":")
    where = _where(model, "architecture")
    if not (Path(path).is_file() and name):
        raise InputError(where, f"no file {path!r}", "write path/to/module.py:function")
    spec = importlib.util.spec_from_file_location(f"_cortiscope_{Path(path).stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(where, f"{path} is not a python file", "write path/to/module.py:function")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for the module that a class is of
    try:
        with _importing_from(Path(path).parent):
            spec.loader.exec_module(module)
            function: Callable[[], Any] | None = getattr(module, name, None)
            network = function() if function else None
    except Exception as error:
        problem = f"{path}:{name} fails ({type(error).__name__}: {error})"
        raise InputError(where, problem, "correct the file") from error
    if function is None:
        names = [key for key, value in vars(module).items() if callable(value)]
        raise InputError(where, f"{path} has no {name!r}", f"near: {near(name, names)}")
    if not isinstance(network, nn.Module):
        raise InputError(
            where, f"{name}() gives {type(network).__name__}", "return a torch.nn.Module"
        )
    return _plain(network, where).float()  # as stimuli are


def _plain(network: nn.Module, where: str) -> nn.Module:
    """A network without what compiles or distributes it and its parts, and adds to their names."""
    if any(isinstance(part, torch.jit.ScriptModule) for part in network.modules()):
        raise InputError(
            where, "gives TorchScript, whose layers cannot be recorded", "return what it is made of"
        )
    # From the inside out, since a wrapped part may hold others.
    for path, part in reversed([*network.named_modules(remove_duplicate=False)]):
        part._compiled_call_impl = None  # what `compile` of a module sets, in place
        inner = _wrapped(part)
        if inner is not None and path:
            above, _, name = path.rpartition(".")
            setattr(network.get_submodule(above), name, inner)
        elif inner is not None:
            network = inner
    return network


def _wrapped(network: nn.Module) -> nn.Module | None:
    """What `torch.compile` or `DataParallel` was given, of a network that they gave."""
    if isinstance(network, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return network.module
    # Told by its name: importing the compiler takes seconds.
    return getattr(network, "_orig_mod", None)


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """As python does for a script in the folder; of another one `parts` is another module."""
    before, place = set(sys.modules), str(folder.resolve())
    sys.path.insert(0, place)
    try:
        yield
    finally:
        sys.path.remove(place)
        for name in set(sys.modules) - before:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(place):
                del sys.modules[name]


def _where(model: Row, column: str) -> str:
    return f"models table: {model['model']}: {column}"
