"""What score files keep for every neuroid to choose its own layer by."""

import numpy as np
import pytest

from cortiscope.mappings.encoding import OWN_DRAWS
from cortiscope.mappings.fitting import fit
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.statistics.layer_choice import own_layers
from tests.regression_scene import CONFIG, layers, planted, settings
from tests.synthetic_areas import area

N = 90
KINDS = [name for name, kind in MAPPINGS.items() if kind.of_neuroids and not kind.joint]


@pytest.mark.parametrize("split", ["", "part"])
@pytest.mark.parametrize("kind", KINDS)
def test_draws_of_neuroids_make_up_those_of_the_area(kind: str, split: str) -> None:
    scene = layers(N)
    recorded = planted(scene[1]).response
    recorded[60:, :, 3] = np.nan
    recorded[:, :, 4] = 1.0
    asked = settings(kind, n_draws=15) | {"selection": CONFIG["selection"]}
    asked["cross_validation"] = asked["cross_validation"] | {"split": split}
    coordinates = {"part": np.where(np.arange(N) % 3, "train", "test")}
    found = {
        name: one.values.astype(float)
        for name, one in fit(kind, scene, area(recorded), asked, coordinates).items()
        if one.values.dtype.kind == "f"
    }
    score, draws = found["score"], found["neuroid_bootstrap"]
    assert draws.shape == (3, 15, 12)
    assert np.isnan(draws[:, :, 4]).all()
    own = np.tanh(np.arctanh(draws).mean(axis=1))
    np.testing.assert_allclose(own, score, atol=1e-5)
    # About the mean score, those of the area are the mean of these, but for the bend of Fisher's z.
    apart = np.nanmean(draws, axis=2) - found["area_score"][:, None]
    expected = found["area_bootstrap"] - found["area_score"][:, None]
    for layer in range(3):
        assert np.corrcoef(apart[layer], expected[layer])[0, 1] > 0.99
        assert apart[layer].std() == pytest.approx(expected[layer].std(), rel=0.15)
    # The layer that holds the code is that of nearly every neuroid.
    assert np.nanmean(own_layers(score, draws)) > 0.8 * np.nanmean(score[1])


def test_a_few_draws_are_kept_and_none_without() -> None:
    scene = layers(N)
    for n_draws, kept in ((3 * OWN_DRAWS, OWN_DRAWS), (0, 0)):
        found = fit("ridge", scene, planted(scene[1]), settings("ridge", n_draws=n_draws))
        assert found["neuroid_bootstrap"].values.shape[1] == kept
