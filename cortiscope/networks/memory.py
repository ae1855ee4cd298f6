"""How much memory a job may still take: of the machine, of its control groups, of its request."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import torch  # which who only asks what the machine has need not wait for

NO_LIMIT = 2**60  # bytes; groups of version 1 without a limit state a number near 2**63
# Of a control group, in its versions 1 and 2: its limit, its use, and what of that is files that
# were read and would make room.
VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
VERSION_2 = ("memory.max", "memory.current", "inactive_file")


def free_memory(device: "torch.device", requested: int = 0) -> int:
    """Bytes free on the device; of the host, within the limits of the job.

    requested: megabytes that the job asked for, 0 where it did not say. No limit of the device.
    """
    if device.type == "cuda":
        import torch

        return torch.cuda.mem_get_info(device)[0]
    return free_on_host(requested)


def free_on_host(requested: int = 0, root: Path = Path("/")) -> int:
    """The least that machine, control groups (SLURM's, a container's) and request leave, in bytes.

    The request counts also where nothing enforces it: other jobs run beside this one.
    root: of the file system that shows the groups.
    """
    left = [psutil.virtual_memory().available]
    left += [limit - used + _files_read(*group) for group, limit, used in _limited_groups(root)]
    if requested:
        left.append(requested * 10**6 - psutil.Process().memory_info().rss)
    return max(0, min(left))


def total_on_host(root: Path = Path("/")) -> int:
    """The least that machine and control groups have in all, in bytes."""
    limits = [limit for _, limit, _ in _limited_groups(root)]
    return min([psutil.virtual_memory().total, *limits])


Group = tuple[Path, str]  # its folder, and what of its use are files


def _limited_groups(root: Path) -> Iterator[tuple[Group, int, int]]:
    """Each control group with a limit that the process is in, parents included; limit and use."""
    mounted = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _limited_along(mounted, path, VERSION_2)
        elif "memory" in controllers.split(","):
            yield from _limited_along(mounted / "memory", path, VERSION_1)


def _limited_along(
    mounted: Path, path: str, names: tuple[str, str, str]
) -> Iterator[tuple[Group, int, int]]:
    # A container may not see the folders of its path, only what is mounted for it.
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for depth in range(len(parts) + 1):
        group = mounted.joinpath(*parts[:depth])
        limit, used = (_read(group / name).strip() for name in names[:2])
        if limit.isdigit() and used.isdigit() and int(limit) < NO_LIMIT:  # not "max"
            yield (group, names[2]), int(limit), int(used)


def _files_read(group: Path, name: str) -> int:
    fields = dict(line.split(" ", 1) for line in _read(group / "memory.stat").splitlines())
    return int(fields.get(name, 0))


def _read(path: Path) -> str:
    """Nothing, of a file that is not there or not for us."""
    try:
        return path.read_text()
    except OSError:
        return ""
