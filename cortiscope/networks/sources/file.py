"""Networks of the user's own: a function in a python file, or an installed package, makes them."""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from cortiscope.errors import InputError
from cortiscope.networks.first_look import look
from cortiscope.networks.own_code import WRITE, file_of, module_of
from cortiscope.networks.preprocessing import Preprocessing
from cortiscope.networks.sources import source
from cortiscope.suggestions import near

OWN = "_cortiscope_"  # what the name of a file's module begins with


class Source(source.Source):
    """A network of the user's own, which is looked into for what no words say."""

    def architecture(self) -> nn.Module:
        return _made_by(self.row["architecture"], self.where("architecture"))

    def transform(self, network: nn.Module | None = None) -> Preprocessing:
        """The network tells of itself that it takes one channel, and, for `auto`, that it
        normalises its images itself.
        """
        words, wanted = self.row["preprocessing"], super().transform()
        if network is None or not wanted.size:
            return wanted
        seen = look(network, wanted.size)
        if words == "auto" and seen.normalises:
            wanted = replace(wanted, mean=(0.0,) * 3, std=(1.0,) * 3)
        return wanted.grey() if seen.channels == 1 and "channels=" not in words else wanted

    def warning(self, network: nn.Module, shown: Preprocessing) -> str:
        """Of a network that normalises the images that it gets normalised already."""
        plain = set(shown.mean) == {0} and set(shown.std) == {1}
        if plain or not look(network, shown.size).normalises:
            return ""
        return (
            f"images are normalised twice, by preprocessing {self.row['preprocessing']!r} and by"
            " the network itself; write `auto`, or words with mean=0 std=1"
        )


def _made_by(architecture: str, where: str) -> nn.Module:
    """The network that path/to/module.py:function gives, or package.module:function."""
    path, _, name = architecture.partition(":")
    if not (Path(file_of(architecture)).is_file() and name):
        raise InputError(where, f"no file {path!r}", WRITE)
    importing = nullcontext() if module_of(architecture) else _importing_from(Path(path).parent)
    try:
        with importing:
            module = _module(architecture)
            function: Callable[[], Any] | None = getattr(module, name, None)
            network = function() if function else None
    except InputError:
        raise
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


def _module(architecture: str) -> ModuleType:
    path = architecture.partition(":")[0]
    if module_of(architecture):
        return importlib.import_module(path)
    spec = importlib.util.spec_from_file_location(f"{OWN}{Path(path).stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"models table: {architecture}", "is not a python file", WRITE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for the module that a class is of
    spec.loader.exec_module(module)
    return module


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
            file = getattr(sys.modules[name], "__file__", None) or ""
            if file.startswith(place) and not name.startswith(OWN):
                del sys.modules[name]
