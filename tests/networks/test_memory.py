"""The memory that is left: of machine, control groups and request, the least."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from cortiscope.networks.memory import free_memory, free_on_host, total_on_host

GB = 10**9
JOB = "slurm/job_7/step_0"
NONE_V1 = 9223372036854771712


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 64 GB free, on which this process holds 1 GB."""
    machine = SimpleNamespace(available=64 * GB, total=80 * GB)
    monkeypatch.setattr("psutil.virtual_memory", lambda: machine)
    held = SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=GB))
    monkeypatch.setattr("psutil.Process", lambda: held)
    return tmp_path


def write(root: Path, place: str, value: object) -> None:
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    (root / place).write_text(f"{value}\n")


def version_2(root: Path, group: str, limit: object, used: int) -> None:
    write(root, f"sys/fs/cgroup/{group}/memory.max", limit)
    write(root, f"sys/fs/cgroup/{group}/memory.current", used)


def version_1(root: Path, group: str, limit: int, used: int) -> None:
    write(root, f"sys/fs/cgroup/memory/{group}/memory.limit_in_bytes", limit)
    write(root, f"sys/fs/cgroup/memory/{group}/memory.usage_in_bytes", used)


def test_this_machine_has_some() -> None:
    assert 2**20 < free_memory(torch.device("cpu")) < 2**44


def test_without_limits_it_is_what_the_machine_has(root: Path) -> None:
    assert free_on_host(0, root) == pytest.approx(64 * GB, rel=1e-6)
    write(root, "proc/self/cgroup", f"0::/{JOB}")
    version_2(root, JOB, "max", 5)
    assert free_on_host(0, root) == pytest.approx(64 * GB, rel=1e-6)


@pytest.mark.parametrize("group", [JOB, "slurm/job_7", "slurm"])
def test_the_limit_of_a_job_is_found_along_its_path(root: Path, group: str) -> None:
    write(root, "proc/self/cgroup", f"0::/{JOB}")
    version_2(root, JOB, "max", GB)
    assert total_on_host(root) == 80 * GB
    version_2(root, group, 8 * GB, 3 * GB)
    assert free_on_host(0, root) == 5 * GB
    assert total_on_host(root) == 8 * GB


def test_the_tightest_group_counts_and_files_that_were_read_make_room(root: Path) -> None:
    write(root, "proc/self/cgroup", f"0::/../{JOB}")
    version_2(root, JOB, 8 * GB, 7 * GB)
    version_2(root, "slurm", 9 * GB, 6 * GB)
    assert free_on_host(0, root) == GB
    write(root, f"sys/fs/cgroup/{JOB}/memory.stat", f"anon 3\ninactive_file {GB}")
    assert free_on_host(0, root) == 2 * GB
    version_2(root, JOB, 8 * GB, 10 * GB)
    assert free_on_host(0, root) == 0


def test_groups_of_version_1(root: Path) -> None:
    write(root, "proc/self/cgroup", f"5:devices:/\n4:cpu,memory:/{JOB}\n0::/")
    version_1(root, "", NONE_V1, GB)
    version_1(root, JOB, NONE_V1, GB)
    assert free_on_host(0, root) == pytest.approx(64 * GB, rel=1e-6)
    version_1(root, "slurm/job_7", 8 * GB, 2 * GB)
    assert free_on_host(0, root) == 6 * GB


def test_a_container_sees_its_limit_where_groups_are_mounted(root: Path) -> None:
    write(root, "proc/self/cgroup", "4:memory:/docker/0a1b")
    version_1(root, "", 4 * GB, GB)
    assert free_on_host(0, root) == 3 * GB


def test_a_request_is_a_limit_less_what_is_held(root: Path) -> None:
    assert free_on_host(5000, root) == pytest.approx(4 * GB, rel=1e-3)
    assert free_on_host(500, root) == 0
    assert free_on_host(500_000, root) == pytest.approx(64 * GB, rel=1e-6)
