"""A large recording where most was recorded once, of a subject who saw all of its own often."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from cortiscope.experiment import trials
from cortiscope.experiment.netcdf import save
from cortiscope.experiment.responses import Area, read_areas
from cortiscope.mappings.by_subject import repeated
from cortiscope.mappings.fitting import fit
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.noise_ceilings.ceilings import area_ceilings
from tests.mappings.test_dependent_stimuli import settings
from tests.regression_scene import HALVES
from tests.synthetic_areas import layer

N, N_OFTEN, EACH = 60, 20, 6


def areas(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[np.ndarray, Area, Area]:
    """Features; the area with every trial, and as it is held. s0 saw 20 stimuli four times."""
    random = np.random.default_rng(0)
    features = random.normal(size=(N, 8))
    signal = features @ random.normal(size=(8, 2 * EACH))
    response = signal[:, None] + random.normal(size=(N, 4, 2 * EACH))
    response[N_OFTEN:, :, :EACH] = np.nan
    response[:, 1:, EACH:] = np.nan
    recorded = xr.Dataset(
        {"response": (("stimulus", "repetition", "neuroid"), response)},
        {
            "stimulus_id": ("stimulus", np.arange(N).astype(str)),
            "neuroid_id": ("neuroid", np.arange(2 * EACH).astype(str)),
            "area": ("neuroid", ["IT"] * 2 * EACH),
            "subject": ("neuroid", np.repeat(["s0", "s1"], EACH)),
        },
    )
    file = folder / "responses.nc"
    save(recorded, file, {})
    whole = read_areas(file, ["IT"])[0]
    monkeypatch.setattr(trials, "LARGE", 0)
    held = read_areas(file, ["IT"])[0]
    assert held.n_averaged is not None
    return features, whole, held


@pytest.mark.parametrize("mapping", ["ridge", "rsa", "cka", "variance_partition", "unit_weighted"])
def test_layers_are_chosen_on_halves_of_the_stimuli(
    mapping: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features, whole, held = areas(tmp_path, monkeypatch)
    asked = settings(permutations=9) | {"selection": HALVES, "low_level": {"models": ["pixels"]}}
    pixels = {"pixels": np.random.default_rng(1).normal(size=(N, 30))}
    found = fit(mapping, [layer(features)], held, asked, pixels)
    assert not repeated(held, MAPPINGS[mapping], asked)
    assert np.isfinite(found["selection_score"].values).all()
    every = fit(mapping, [layer(features)], whole, asked, pixels)
    np.testing.assert_allclose(found["subject_score"].values, every["subject_score"].values)


@pytest.mark.parametrize("dissimilarity", ["pearson", "crossnobis"])
def test_ceilings_are_those_of_every_trial(
    dissimilarity: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, whole, held = areas(tmp_path, monkeypatch)
    both = []
    for of in (whole, held):
        twice = np.r_[:EACH, :EACH]  # two subjects who saw the same often, and a third
        some = of.of_neuroids(np.r_[twice, EACH : 2 * EACH], "IT")
        subject = np.repeat(["s0", "s2", "s1"], EACH)
        some = replace(some, metadata={"subject": subject})
        both.append(area_ceilings(some, 4, 0, dissimilarity)[0])
    for name, expected in both[0].items():
        if expected.values.dtype.kind == "f":
            np.testing.assert_allclose(both[1][name].values, expected.values, err_msg=name)
