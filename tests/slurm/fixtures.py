"""A cluster as a pytest fixture, or a reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.install import why_not


def cluster_or_skip() -> Iterator[Cluster]:
    """One running cluster; skips the test where SLURM cannot be started."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with Cluster() as running:
        yield running
