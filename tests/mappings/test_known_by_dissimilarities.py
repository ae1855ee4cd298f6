"""An area known by dissimilarities only is scored as its neurons would be."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from cortiscope.experiment.rdms import mixtures
from cortiscope.mappings.kinds import MAPPINGS
from tests.regression_scene import NO_HALVES, layer, run
from tests.synthetic_areas import area

N_STIMULI = 118


def areas(shares: tuple[float, ...], n_neuroids: int) -> Iterator[tuple[NDArray, NDArray]]:
    """The area's code (stimulus, 5), and patterns (stimulus, neuroid) of which a share is code."""
    random = np.random.default_rng(0)
    for share in shares:
        code = random.normal(size=(N_STIMULI, 10))
        signal = code[:, :5] @ random.normal(size=(5, n_neuroids)) / np.sqrt(5)
        noise = random.normal(size=signal.shape)
        yield code, np.sqrt(share) * signal + np.sqrt(1 - share) * noise


@pytest.mark.parametrize("n_neuroids", [20, 300])
@pytest.mark.parametrize("kind", [name for name, kind in MAPPINGS.items() if kind.of_neuroids])
def test_layers_are_ordered_as_by_the_neurons(kind: str, n_neuroids: int) -> None:
    for code, patterns in areas((0.1, 0.5), n_neuroids):
        known = [area(mixtures(1 - np.corrcoef(patterns))[:, None]), area(patterns[:, None])]
        parts = (code[:, :5], code, code[:, 5:])  # all of the code, beside others, others only
        by_rdm, by_neurons = (
            np.array(
                [
                    run(kind, [layer("layer", part)], brain, selection=NO_HALVES)["area_score"][0]
                    for part in parts
                ]
            )
            for brain in known
        )
        true, half, other = by_rdm
        assert true > half > other + 0.1
        assert abs(other) < 0.07
        np.testing.assert_allclose(by_rdm, by_neurons, atol=0.06)


def test_p_values_of_noise_are_uniform() -> None:
    random, found = np.random.default_rng(0), []
    for _ in range(60):
        brain = area(mixtures(1 - np.corrcoef(random.normal(size=(40, 8))))[:, None])
        noise = layer("noise", random.normal(size=(40, 6)))
        options = {"n_permutations": 39, "selection": NO_HALVES}
        found.append(run("ridge", [noise], brain, **options)["area_p_value"][0])
    assert stats.kstest(found, "uniform").pvalue > 0.05
