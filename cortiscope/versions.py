"""Which versions of packages and which commit are in use, for the provenance of files."""

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Installed versions, without importing the packages; those not installed are left out."""
    found = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def git_commit(checkout: Path) -> str:
    """The commit checked out in `checkout`, read from its .git folder; "unknown" outside git."""
    head = checkout / ".git" / "HEAD"
    if not head.is_file():
        return "unknown"
    reference = head.read_text().strip()
    if not reference.startswith("ref: "):
        return reference
    name = reference.removeprefix("ref: ")
    loose = checkout / ".git" / name
    if loose.is_file():
        return loose.read_text().strip()
    packed = checkout / ".git" / "packed-refs"
    lines = packed.read_text().splitlines() if packed.is_file() else []
    return next((line.split()[0] for line in lines if line.endswith(f" {name}")), "unknown")
