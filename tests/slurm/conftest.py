from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.install import why_not


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One running cluster for all tests below this folder."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with Cluster() as running:
        yield running
