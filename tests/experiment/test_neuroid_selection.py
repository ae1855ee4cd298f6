"""Neuroids that are not selected are not fitted, and are counted."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from cortiscope.errors import InputError
from cortiscope.experiment.neuroid_selection import Condition, conditions, selected
from cortiscope.experiment.responses import read_area
from cortiscope.noise_ceilings import noise

VALUES = {
    "reliability": np.array([0.9, 0.75, 0.2, np.nan]),
    "layer": np.array(["L4", "L5", "L4", "L4"]),
    "animal": np.array([1, 2, 3, 4]),
    "lamina": np.array(["L4", "", "nan", "L5"]),
    "line": np.array(["Cux2", "NaN", "", "Rbp4"], dtype=object),
}


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ("reliability >= 0.75", [True, True, False, False]),
        ("reliability<0.75", [False, False, True, False]),
        ("reliability != 0.2", [True, True, False, False]),  # NaN is no value
        ("layer == L4", [True, False, True, True]),
        ("layer != 'L4'", [False, True, False, False]),
        ("animal == 3", [False, False, True, False]),
        ("lamina != L4", [False, False, False, True]),  # nor is a missing text
        ("lamina == nan", [False, False, False, False]),
        ("lamina == ''", [False, False, False, False]),
        ("line != Cux2", [False, False, False, True]),
        ("layer == L4 and reliability > 1e-1  and animal <= 2", [True, False, False, False]),
    ],
)
def test_conditions_select(select: str, expected: list[bool]) -> None:
    assert selected(conditions(select), VALUES).tolist() == expected


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f4", "f8"])
@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ("d == 0.1", [0]),
        ("d != 0.1", [1, 2, 3, 4]),
        ("d >= 0.7", [3, 4]),
        ("d <= 0.3", [0, 1]),
        ("d < 0.7", [0, 1, 2]),
        ("d > 0.3", [2, 3, 4]),
    ],
)
def test_numbers_are_compared_in_their_own_precision(
    select: str, expected: list[int], dtype: str
) -> None:
    values = {"d": np.array([0.1, 0.3, 0.5, 0.7, 0.9, np.nan], dtype)}
    assert np.flatnonzero(selected(conditions(select), values)).tolist() == expected


def test_conditions_are_read() -> None:
    assert conditions("  ") == []
    assert conditions("cre_line == Cux2-CreERT2") == [Condition("cre_line", "==", "Cux2-CreERT2")]


@pytest.mark.parametrize(
    "select", ["reliability", "reliability => 0.5", "0.5 <", "a > 1 and", "a", "a == 1 or b == 2"]
)
def test_what_is_no_condition_is_refused(select: str) -> None:
    with pytest.raises(InputError, match=r"responses\.select: .* is no condition; write a coord"):
        conditions(select)


@pytest.mark.parametrize(
    ("select", "problem"),
    [
        ("layer >= 4", "layer is text"),
        ("animal == rex", "animal is a number, 'rex' is none"),
        ("layer == L9", r"no layer is 'L9'; use one of .*L4"),
    ],
)
def test_a_comparison_of_other_kinds_is_refused(select: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        selected(conditions(select), VALUES)


def record(folder, n_neuroids=30):
    """Write stimuli, and signal in ever more noise without a known reliability; returns that."""
    random = np.random.default_rng(0)
    names = [f"image{number:02d}" for number in range(60)]
    images = random.integers(0, 256, (60, 8, 8), np.uint8)
    xr.Dataset(
        {"image": (("stimulus", "y", "x"), images)}, coords={"stimulus_id": ("stimulus", names)}
    ).to_netcdf(folder / "stimuli.nc")
    signal = random.normal(size=(60, 1, n_neuroids))
    noisy = signal + np.linspace(0.2, 8, n_neuroids) * random.normal(size=(60, 6, n_neuroids))
    xr.Dataset(
        {"response": (("stimulus", "repetition", "neuroid"), noisy.astype(np.float32))},
        coords={
            "stimulus_id": ("stimulus", names),
            "neuroid_id": ("neuroid", [f"cell{number}" for number in range(n_neuroids)]),
            "area": ("neuroid", ["IT", "V1", "V4"] * (n_neuroids // 3)),
        },
    ).to_netcdf(folder / "responses.nc")
    return noisy.astype(np.float32).astype(float)


def test_a_study_of_reliable_neuroids(listed, tmp_path):
    """The reliability is computed, as that of ceilings; only who reaches it is read again."""
    response = record(tmp_path)
    config = tmp_path / "selected.yaml"
    config.write_text(
        f"""
        stimuli: {{source: {tmp_path}/stimuli.nc}}
        responses: {{source: {tmp_path}/responses.nc, select: reliability >= 0.5}}
        models: {{names: [shapenet5]}}
        decoding: {{properties: []}}
        ceilings: {{splits: 20}}
        """
    )
    targets = [f"results/shapes/ceilings/{area}.nc" for area in ("IT", "V1", "V4")]
    done = listed.forked("--", *targets, config=config)
    assert done.returncode == 0, done.stdout[-3000:]
    for first, target in enumerate(targets):
        reliability = noise.split_half_ceiling(response[:, :, first::3], 20, 0).reliability
        places = 3 * np.flatnonzero(reliability >= 0.5) + first
        assert 0 < len(places) < 10
        area = read_area(listed.folder / "resources/shapes/responses.nc", Path(target).stem)
        assert area.neuroid_id.tolist() == [f"cell{number}" for number in places]
        assert area.n_recorded == 10
        with xr.open_dataset(listed.folder / target) as found:
            assert found["neuroid_id"].values.tolist() == area.neuroid_id.tolist()
            assert found.attrs["n_recorded"] == 10
            assert found["reliability"].values.min() >= 0.5
