"""How many strengths are at an edge: in score files, and in a job's log where they are many."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.regression_scene import layers, planted, run
from tests.synthetic_areas import area


def _of(kind: str, response: NDArray) -> NDArray:
    scene = layers(60)
    found = run(kind, scene if kind == "stacked" else scene[:1], area(response), n_permutations=2)
    edge: NDArray = found["at_edge"]
    return edge[0]


@pytest.mark.parametrize("kind", ["ridge", "stacked", "lasso"])
def test_noise_takes_the_largest_strength(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    noise = np.random.default_rng(0).normal(size=(60, 4, 12))
    least, most = _of(kind, noise)
    assert least < 0.1 < 0.3 < most
    assert f"{most:.0%} of the strengths are the largest" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["ols", "pcr", "pls"])
def test_who_chooses_no_strength_has_no_edge(kind: str) -> None:
    assert np.isnan(_of(kind, planted(layers(60)[0]).response)).all()
