"""A digest of the code that makes an output, so that an edit reruns what it touches and no more.

Comments, docstrings, formatting and file dates do not change it; an edit of any function in the
script or in a module of the library that it imports, directly or not, does.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from cortiscope.mappings.kinds import MAPPINGS

LIBRARY = Path(__file__).parents[1]
SCRIPTS = LIBRARY.parent / "workflow" / "scripts"
PARTS = (".html", ".css", ".js", ".bib")  # of modules that stand in the same folder


@cache
def code_digest(script: str, *modules: str) -> str:
    """Digest of a script of workflow/scripts and of the library modules that it imports.

    With PARTS of their folders, such as a template. modules: further library modules, which the
    script imports by name at run time.
    """
    found: dict[Path, str] = {}
    _collect(SCRIPTS / f"{script}.py", found)
    for module in modules:
        _collect(_file(module), found)
    for folder in {path.parent for path in found}:
        found |= {file: _contents(file) for file in folder.iterdir() if file.suffix in PARTS}
    ordered = "".join(f"{path.name}:{found[path]}\n" for path in sorted(found))
    return hashlib.sha256(ordered.encode()).hexdigest()[:16]


@cache
def mapping_digest(mapping: str) -> str:
    """Digest of the code of a mapping's fits, and of what these depend on of its row."""
    known = f"{code_digest('fit', f'mappings.{mapping}')}:{MAPPINGS[mapping]!r}"
    return hashlib.sha256(known.encode()).hexdigest()[:16]


def _collect(path: Path, found: dict[Path, str]) -> None:
    if path in found:
        return
    digest, imported = _parse(path)
    found[path] = digest
    for module in imported:
        _collect(_file(module), found)


def _contents(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _file(module: str) -> Path:
    """The file of a module, named from within the library: `files`, `mappings.ridge`."""
    return LIBRARY.joinpath(*module.split(".")).with_suffix(".py")


@cache
def _parse(path: Path) -> tuple[str, tuple[str, ...]]:
    tree = ast.parse(path.read_text())
    statements = [tree, *_statements(tree)]
    for node in statements:
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:]
    digest = hashlib.sha256(ast.dump(tree).encode()).hexdigest()
    return digest, tuple(sorted(set(_imports(statements))))


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in a node at any depth, without the expressions, which are nine tenths of it."""
    for part in ("body", "handlers", "cases", "orelse", "finalbody"):
        for child in getattr(node, part, ()):
            yield child
            yield from _statements(child)


def _imports(statements: Iterable[ast.AST]) -> Iterator[str]:
    """The library modules named in import statements."""
    for node in statements:
        if isinstance(node, ast.ImportFrom):
            place = (node.module or "").split(".")
            names = [".".join([*place, alias.name]) for alias in node.names] + [".".join(place)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        inside = (name.removeprefix("cortiscope.") for name in names if "cortiscope." in name)
        # What is imported from a module may be a module itself, or a name in it.
        yield from (name for name in inside if _file(name).is_file())
