from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.fixtures import cluster_or_skip


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One running cluster for all tests below this folder."""
    yield from cluster_or_skip()
