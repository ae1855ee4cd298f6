"""What jobs ask for follows the study; a request changes how a job works, and reruns none."""

import shutil

import pytest
import yaml

from cortiscope.networks.accuracy import BATCH
from cortiscope.planning.costs import jobs as costs
from cortiscope.planning.study import Study
from tests.running import REPOSITORY, TINY

MODEL = "shapenet5"


@pytest.fixture
def study(listed, monkeypatch):
    """The embedded study with some features settings, and of some permutations."""
    monkeypatch.chdir(listed.folder)

    def load(permutations=100, **features):
        config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
        config["models"]["names"] = [MODEL]
        config["features"] = features
        config["statistics"] = {"permutations": permutations, "bootstraps": 0}
        return Study.load(config, REPOSITORY)

    return load


def test_features_are_counted_by_projection(study):
    exact = study()
    widths = [int(row["n_features"]) for row in exact.layer_tables[MODEL]]

    def kept(projection, components="auto"):
        return costs.kept(study(projection=projection, components=components), MODEL)

    assert kept("none") == widths
    assert kept("auto") == [min(width, exact.n_stimuli) for width in widths]
    assert kept("srp", 500) == [min(width, 500) for width in widths]
    # Of few stimuli turned into one component more than there are.
    turned = [min(width, exact.n_stimuli + 1) for width in widths]
    assert kept("fold", 5000) == kept("fold", "auto") == turned
    assert kept("fold", 50) == [min(width, 50) for width in widths]
    assert max(widths) > 4096
    assert exact.n_stimuli > 50


def test_raw_features_ask_for_more(study):
    exact, raw = study(), study(projection="none")
    widths = costs.kept(raw, MODEL)
    fits = [costs.fit_memory(asked, "ridge", MODEL, "") for asked in (exact, raw)]
    assert fits[1] - fits[0] > 2 * raw.n_stimuli * max(widths) * 8 / 1e6
    together = costs.fit_memory(raw, "stacked", MODEL, "")
    assert together - fits[1] > raw.n_stimuli * (sum(widths) - max(widths)) * 8 / 1e6
    batch = 32 * 64 * max(widths) / 1e6
    held = costs.features_memory(raw, MODEL) - 4000 - batch
    # All of them wait in a file; some of one layer are looked into in double precision.
    assert held < 16 * max(2**24, 100 * max(widths)) / 1e6 + 10


def test_a_streamed_batch_is_all_that_is_in_memory(study):
    many, few = study(projection="fold"), study(projection="fold", batch_size=8)
    widest = int(many.layer_tables[MODEL][0]["model_widest"])
    less = costs.features_memory(many, MODEL) - costs.features_memory(few, MODEL)
    assert less == pytest.approx(32 * 56 * widest / 1e6, abs=2)


def test_a_pass_asks_for_memory_once_and_on_a_gpu_for_none(study):
    here, there = study(device="cpu"), study(device="cuda")
    widest = int(here.layer_tables[MODEL][0]["model_widest"])
    passes = costs.features_memory(here, MODEL) - costs.features_memory(there, MODEL)
    assert passes == 32 * here.n_stimuli * widest // 10**6
    again = costs.features_memory(here, MODEL, attempt=3)
    assert again - passes == 3 * costs.features_memory(there, MODEL)


def classified(study, images="shapes"):
    """A study whose accuracy is measured, or published."""
    study.config["accuracy"]["images"] = images
    return study


def test_accuracy_asks_for_a_batch_and_the_network(study):
    here, there = (classified(study(device=device)) for device in ("auto", "cuda"))
    widest = int(here.layer_tables[MODEL][0]["model_widest"])
    parameters = int(here.layer_tables[MODEL][0]["model_parameters"])
    asked = [costs.accuracy_memory(one, MODEL) for one in (here, there)]
    assert asked[0] - asked[1] == 16 * BATCH * widest // 10**6
    assert asked[1] == 4000 + 8 * parameters // 10**6
    assert costs.accuracy_memory(here, MODEL, attempt=2) - asked[0] == asked[1]
    assert costs.accuracy_memory(classified(here, "published"), MODEL) < asked[1]


def test_accuracy_of_a_wide_network_asks_for_more(study):
    """Measured of 50 images of EfficientNet-B7: 7.3 GB."""
    wide = classified(study())
    wide.layer_tables[MODEL][0] |= {"model_widest": "18360000", "model_parameters": "66347960"}
    assert costs.accuracy_memory(wide, MODEL) > 7300


def test_ceilings_of_more_areas_ask_for_more(study):
    embedded = study()
    alone, together = (costs.ceilings_memory(embedded, area) for area in ("V1", ""))
    one = embedded.n_stimuli * embedded.repetitions * 64 * 4 / 1e6  # in single precision
    assert together - alone == pytest.approx(2 * one, abs=2)
    assert 10 <= costs.ceilings_minutes(embedded, "") < 15


def test_a_searchlight_asks_for_its_permutations(study):
    few, many = study(permutations=10), study(permutations=10_000)
    assert costs.searchlight_memory(many, MODEL, "IT") > costs.searchlight_memory(few, MODEL, "IT")
    minutes = [costs.searchlight_minutes(asked, MODEL, "IT") for asked in (few, many)]
    assert 10 <= minutes[0] < minutes[1]


def _batches(log):
    """What a log says of each batch, after how images are shown."""
    return [line for line in log.read_text().splitlines() if " stimuli, " in line]


def test_a_request_limits_a_batch_and_reruns_nothing(tiny, workflow):
    shutil.copytree(tiny.folder, workflow.folder, dirs_exist_ok=True)
    target = "results/shapes/features/shapenet5.nc"
    log = workflow.folder / "logs" / "shapes" / "features" / "shapenet5.log"
    assert "40 of 40 stimuli" in _batches(log)[0]
    less = ["--set-resources", "features:mem_mb=1"]
    planned = workflow.forked("--dry-run", *less, "--", "tables", config=TINY)
    assert "Nothing to be done" in planned.stdout
    done = workflow.forked("--force", *less, "--", target, config=TINY)
    assert done.returncode == 0, done.stdout[-3000:]
    assert ": 1 of 40 stimuli" in _batches(log)[0]
    again = workflow.forked("--dry-run", "--", target, config=TINY)
    assert "Nothing to be done" in again.stdout
