"""However many layers share a job, the tables are the same."""

import shutil

import numpy as np
import pytest

from cortiscope.experiment.responses import read_area
from cortiscope.mappings.fitting import fit
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.networks.extraction import MEMORY_SHARE
from cortiscope.networks.features import read_layers
from cortiscope.planning.costs.fit_seconds import (
    KEPT_BYTES,
    SECONDS_PER_KERNEL,
    SECONDS_PER_LAYER,
    seconds_per_layer,
)
from cortiscope.planning.costs.jobs import searchlight_seconds
from cortiscope.planning.costs.megabytes import (
    MOST_ACTIVATIONS,
    batch_megabytes,
    features_megabytes,
    fit_megabytes,
    searchlight_megabytes,
)
from cortiscope.regression import principal_axes
from cortiscope.similarity import searchlight
from tests.running import TABLES, TINY, study_config, with_settings

SETTINGS = study_config() | {"statistics": {"permutations": 20, "bootstraps": 20, "seed": 0}}


@pytest.mark.parametrize(("layers_per_job", "blocks"), [(1, 6), ("auto", 1)])
def test_other_blocks_give_the_same_tables(tiny, workflow, tmp_path, layers_per_job, blocks):
    """With the features of a run of a job per area, but all scores and tables made anew."""
    shutil.copytree(tiny.folder, workflow.folder, dirs_exist_ok=True)
    for folder in ("scores", "tables"):
        shutil.rmtree(workflow.results / folder)
    path = tmp_path / "other.yaml"
    config = with_settings(path, study=TINY, fits={"layers_per_job": layers_per_job})
    done = workflow.forked("--", "tables", config=config)
    assert done.returncode == 0, done.stdout[-4000:]
    assert len(list((workflow.results / "scores" / "ridge" / "shapenet5").iterdir())) == blocks
    for table in TABLES:
        expected = (tiny.results / "tables" / table).read_bytes()
        assert (workflow.results / "tables" / table).read_bytes() == expected


@pytest.mark.parametrize("mapping", ["ridge", "rsa"])
def test_a_layer_scores_the_same_alone(finished, mapping):
    names = ["relu1", "relu3", "average"]
    layers = read_layers(finished.results / "features" / "shapenet5.nc", names)
    area = read_area(finished.folder / "resources" / "shapes" / "responses.nc", "IT")
    together = fit(mapping, layers, area, SETTINGS)
    for place, layer in enumerate(layers):
        for name, alone in fit(mapping, [layer], area, SETTINGS).items():
            if alone.dims[0] == "layer":
                np.testing.assert_array_equal(alone.values[0], together[name].values[place])


def test_intervals_of_ridge_take_the_time_of_ten_more_decompositions():
    """Not of a given split, whose test stimuli alone are resampled."""

    def seconds(bootstraps, split=""):
        statistics = SETTINGS["statistics"] | {"bootstraps": bootstraps}
        validation = SETTINGS["cross_validation"] | {"split": split}
        asked = SETTINGS | {"statistics": statistics, "cross_validation": validation}
        return seconds_per_layer("ridge", 3000, 1, asked)

    more = 10 * SECONDS_PER_KERNEL * 3000**3
    assert seconds(20) - seconds(0) == pytest.approx(more, rel=0.02)
    assert seconds(20) == pytest.approx(4 * seconds(0), rel=0.5)  # as was measured
    assert seconds(20, "part") == pytest.approx(seconds(0, "part"), rel=1e-5)


# Seconds in ten folds and in as many as stimuli; 200 stimuli, 40 neuroids, 100 permutations.
BY_FOLDS = {"pls": (5, 61), "pcr": (2, 53), "lasso": (3, 60), "stacked": (2, 15)}


@pytest.mark.parametrize("mapping", BY_FOLDS)
def test_planned_time_follows_the_number_of_folds(mapping):
    """Within a factor of 4 of what was measured; a job is allowed ten times as much."""
    statistics = {"permutations": 100, "bootstraps": 500, "seed": 0}
    for folds, measured in zip((10, "loo"), BY_FOLDS[mapping], strict=True):
        validation = SETTINGS["cross_validation"] | {"folds": folds}
        asked = SETTINGS | {"statistics": statistics, "cross_validation": validation}
        assert measured / 4 < seconds_per_layer(mapping, 200, 40, asked) < measured * 4


@pytest.mark.parametrize(
    "mapping", [name for name, kind in MAPPINGS.items() if kind.cost["formula"] == "pairs_of_folds"]
)
def test_planned_time_follows_the_pairs_of_folds(mapping):
    def seconds(folds, n_stimuli=119):
        validation = SETTINGS["cross_validation"] | {"folds": folds}
        asked = SETTINGS | {"cross_validation": validation}
        return seconds_per_layer(mapping, n_stimuli, 40, asked) - SECONDS_PER_LAYER

    assert seconds(20) == pytest.approx(190 / 45 * seconds(10))
    assert seconds("loo") == pytest.approx(496 / 45 * seconds(10))  # no more than 32 folds


def test_ridge_takes_hardly_longer_with_one_stimulus_left_out():
    validation = SETTINGS["cross_validation"] | {"folds": "loo"}
    alone = seconds_per_layer("ridge", 200, 40, SETTINGS | {"cross_validation": validation})
    assert alone < 2 * seconds_per_layer("ridge", 200, 40, SETTINGS)


def test_planning_knows_what_is_kept_of_training_parts():
    assert KEPT_BYTES == principal_axes.KEPT_BYTES


def test_memory_is_for_all_areas_that_share_a_job():
    """And for what is between stimuli; the embedded study asks little more than a thousand."""
    asked = SETTINGS | {"statistics": {"permutations": 100, "bootstraps": 500}}
    assert fit_megabytes(240, [64] * 3, 8, [240], asked) < 1200
    bins = [fit_megabytes(500, [100] * count, 20, [500], asked) for count in (1, 151)]
    assert bins[1] - bins[0] > 150 * 500 * 100 * 20 * 4 / 1e6
    assert fit_megabytes(5000, [64], 1, [4096], asked) > 1000 + 24 * 5000**2 * 8 / 1e6
    alone, together = (fit_megabytes(2000, [64], 1, [9] * count, asked) for count in (1, 20))
    assert together - alone > 19 * 2 * 2000**2 * 8 / 1e6  # each layer's kernel and eigenvectors


def test_few_components_cost_neither_the_time_nor_the_memory_of_matrices_between_stimuli():
    """10,000 stimuli, 1,000 components, 1,000 neuroids took 43 s without resamples, 115 with."""
    asked = SETTINGS | {"statistics": {"bootstraps": 0, "permutations": 0}}
    assert 20 < seconds_per_layer("ridge", 10_000, 1000, asked, 1000) < 90
    asked["statistics"] = {"bootstraps": 500, "permutations": 100, "null_method": "moved"}
    assert 55 < seconds_per_layer("ridge", 10_000, 1000, asked, 1000) < 230
    size = 10_000, [1000], 1, [1000], asked
    # It took 2,108.
    assert 2108 < fit_megabytes(*size, apart=True, thin=True) < 2 * 2108
    assert fit_megabytes(*size) > 24 * 10_000**2 * 8 / 1e6


def test_memory_is_for_the_features_that_are_held():
    asked = SETTINGS | {"statistics": {"permutations": 100, "bootstraps": 500}}
    assert fit_megabytes(1000, [64], 1, [800_000], asked) > 3 * 1000 * 800_000 * 8 / 1e6
    assert fit_megabytes(1000, [64], 1, [10_000] * 50, asked) > 1000 * 50 * 10_000 * 8 / 1e6
    coordinates = [1000] * 50  # of an exact projection: all wait in memory until they are written
    assert features_megabytes(1000, 1, coordinates, True) > 4000 + 1000 * 50 * 1000 * 8 / 1e6
    weights = 2 * 4 * 61_000_000 / 1e6
    assert features_megabytes(10_000, 61_000_000, [1]) > 2000 + weights
    # More features wait in a file, and images are read as they are shown.
    assert features_megabytes(73_000, 1, [4096] * 20) < 5000


@pytest.mark.parametrize("pixels", [3 * 64**2, 3 * 384**2])
@pytest.mark.parametrize("call", [10_000, 800_000, 1_500_000])
def test_a_batch_of_all_stimuli_fits_into_what_extraction_asks_for(pixels, call):
    """What `extraction` counts of a pass, in its share of what a process of 1.5 GB leaves."""
    asked = batch_megabytes(1000, call + pixels) + features_megabytes(1000, 10**6, [1000])
    one = 4 * (2 * 2 * call + pixels)  # input and output of a call, twice; the image
    loaded = 1500
    assert MEMORY_SHARE * (asked - loaded) > 1000 * one / 1e6


def test_a_pass_asks_for_no_more_than_nodes_have():
    assert batch_megabytes(1000, 10**8) == MOST_ACTIVATIONS


def test_a_searchlight_asks_for_its_permutations_up_to_a_block():
    small = searchlight_megabytes(60, 5000, 1, [60] * 8, 200)
    assert small < 1600
    cells = 200 * 199 // 2
    more = searchlight_megabytes(200, 5000, 1, [200] * 10, 1000)
    assert more > 1000 + 1001 * 10 * cells * 8 / 1e6
    block = searchlight.RANKS_AT_ONCE * 8 / 1e6
    many = [searchlight_megabytes(1000, 5000, 1, [1000] * 20, count) for count in (100, 10_000)]
    assert many[0] == many[1]
    assert block < many[0] < 2 * block + 1000


def test_a_searchlight_takes_the_time_of_its_products():
    def seconds(permutations, voxels=1000):
        return searchlight_seconds(200, voxels, 10, permutations)

    assert seconds(1000) == pytest.approx(10 * seconds(100), rel=0.3)
    assert seconds(100, 5000) == pytest.approx(5 * seconds(100))
