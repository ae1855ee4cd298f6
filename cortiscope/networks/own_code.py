"""The user's own code: the python file that defines a network, and those that it is made of."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

INSTALLED = re.compile(r"(?!.*\.py$)[^\W\d]\w*(\.[^\W\d]\w*)*")

WRITE = "write path/to/module.py:function, or package.module:function of an installed package"


def module_of(architecture: str) -> str:
    """Of `package.module:function` the module; empty for `path/to/module.py:function`."""
    name = architecture.partition(":")[0]
    return name if INSTALLED.fullmatch(name) else ""


def file_of(architecture: str) -> str:
    """The python file of either; of a module that is not installed its name. Imports nothing."""
    name = architecture.partition(":")[0]
    first, *rest = module_of(architecture).split(".")
    spec = find_spec(first) if first else None
    if spec is None:
        return name
    places = [Path(place) for place in spec.submodule_search_locations or ()]
    if not rest:
        return spec.origin or name
    found = (
        path
        for place in places
        for path in (place.joinpath(*rest).with_suffix(".py"), place.joinpath(*rest, "__init__.py"))
        if path.is_file()
    )
    return str(next(found, name))


@cache
def with_imports(file: str) -> tuple[str, ...]:
    """A python file, then those that it imports, directly or not, from its folder or below that.

    A file `nets/mine.py` may call them `parts`, `nets.parts` if it puts what `nets` lies in on the
    path, or by their place in a package.
    """
    folder, found, waiting = Path(file).parent, {Path(file)}, [Path(file)]
    while waiting:
        new = set(_imported(waiting.pop(), folder)) - found
        found |= new
        waiting += new
    return (file, *sorted(map(str, found - {Path(file)})))


def _imported(path: Path, folder: Path) -> Iterator[Path]:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # who builds the network says what is wrong
    packages = path.relative_to(folder).parents  # that relative imports start from
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _absolute(folder, alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            module = node.module.split(".") if node.module else []
            for alias in node.names:  # which may be a module itself, or a name in it
                names = [*module, alias.name]
                if not node.level:
                    yield from _absolute(folder, names)
                elif node.level <= len(packages):
                    yield from _files(folder / packages[node.level - 1], names)


def _absolute(folder: Path, names: list[str]) -> Iterator[Path]:
    """What a dotted name means where the folder, or one that it lies in, is on the path."""
    home = folder.absolute().parts
    for outer in range(len(names)):
        if not outer or home[-outer:] == tuple(names[:outer]):
            yield from _files(folder, names[outer:])


def _files(place: Path, names: list[str]) -> Iterator[Path]:
    for end in range(1, len(names) + 1):
        module = place.joinpath(*names[:end])
        for path in (module.with_name(f"{module.name}.py"), module / "__init__.py"):
            if path.is_file():
                yield path
