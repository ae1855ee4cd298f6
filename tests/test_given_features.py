"""Rows of the models table that have features and no network, through the real workflow."""

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.running import TINY, with_settings

N_STIMULI, N_NEUROIDS, N_REPETITIONS = 72, 10, 4
TABLE = """model\tsource\tarchitecture\tlayers\tpreprocessing\tfamily\tpooling
net\ttorchvision\tsqueezenet1_1\tconv/12\tresize=64\tnets\tmean
words\tlabels\tcategory\t\t\tlabels\t
layers\tfeatures\tmade/layers.npz\t\t\tgiven\t
embedding\tfeatures\tmade/embedding.csv\t\t\tgiven\t
gradients\tlow_level\thog\t\t\tgiven\t
"""


@pytest.fixture(scope="module")
def scene():
    """Ids, categories, an embedding and unrelated layers of the stimuli."""
    random = np.random.default_rng(3)
    ids = np.array([f"{number:03d}" for number in range(N_STIMULI)])
    category = np.repeat(["cat", "dog", "hat", "sun"], N_STIMULI // 4)
    embedding = random.normal(size=(N_STIMULI, 6))
    layers = {name: random.normal(size=(N_STIMULI, 3, 4)) for name in ("first", "second", "third")}
    return ids, category, embedding, layers


def responses(features, random):
    """Neuroids that are linear in features, with noise in each repetition."""
    signal = features @ random.normal(size=(features.shape[1], N_NEUROIDS))
    signal /= signal.std(0)
    noise = random.normal(size=(N_STIMULI, N_REPETITIONS, N_NEUROIDS))
    return signal[:, None] + noise


@pytest.fixture
def study(workflow, scene):
    """The config of a study of two planted areas: of the embedding, and of the labels."""
    import xarray as xr

    ids, category, embedding, layers = scene
    folder, random = workflow.folder, np.random.default_rng(4)
    (folder / "made").mkdir()
    reverse = np.arange(N_STIMULI)[::-1]
    np.savez(folder / "made" / "layers.npz", **layers)  # no ids: in the order of the stimuli
    rows = pd.DataFrame(embedding[reverse], columns=[f"x{i}" for i in range(6)])
    rows.insert(0, "stimulus_id", ids[reverse])
    rows.to_csv(folder / "made" / "embedding.csv", index=False)
    images = random.integers(0, 256, (N_STIMULI, 64, 64, 3), np.uint8)
    shown = {"stimulus_id": ("stimulus", ids), "category": ("stimulus", category)}
    dims = ("stimulus", "y", "x", "channel")
    xr.Dataset({"image": (dims, images)}, coords=shown).to_netcdf(folder / "stimuli.nc")
    one_hot = np.equal.outer(category, np.unique(category)).astype(float)
    planted = np.concatenate([responses(embedding, random), responses(one_hot, random)], axis=2)
    xr.Dataset(
        {"response": (("stimulus", "repetition", "neuroid"), planted)},
        coords={
            "stimulus_id": ("stimulus", ids),
            "area": ("neuroid", np.repeat(["E", "L"], N_NEUROIDS)),
        },
    ).to_netcdf(folder / "responses.nc")
    (folder / "models.tsv").write_text(TABLE)
    return with_settings(
        folder / "study.yaml",
        study=TINY,
        stimuli={"source": "stimuli.nc"},
        responses={"source": "responses.nc"},
        models={"table": "models.tsv", "names": "all"},
        accuracy={"images": "published"},
    )


def test_a_study_of_a_network_labels_layers_and_an_embedding(workflow, study, scene):
    config = yaml.safe_load(study.read_text()) | {"study": "given", "mappings": ["ridge", "rsa"]}
    study.write_text(yaml.safe_dump(config))
    done = workflow.forked(config=study)
    assert done.returncode == 0, done.stdout[-4000:]
    results = workflow.folder / "results" / "given"
    table = pd.read_csv(results / "tables" / "accuracy_vs_brain.csv")
    assert len(table) == 5 * 2 * 2
    training = table.drop_duplicates("model").set_index("model")["training"]
    assert training.to_dict() == {
        "net": "untrained",
        "words": "features",
        "layers": "features",
        "embedding": "features",
        "gradients": "features",
    }
    assert table["top1"].isna().all()
    ridge = table[table["mapping"] == "ridge"].set_index(["model", "area"])
    share = ridge["score_of_ceiling"]
    # An area is explained by what it was made of, and by that alone.
    assert share["embedding", "E"] > 0.8
    assert share["words", "L"] > 0.8
    for model, area in (("embedding", "L"), ("words", "E"), ("layers", "E"), ("layers", "L")):
        assert abs(share[model, area]) < 0.3, (model, area)
    assert ridge.loc[("layers", "E"), "n_layers"] == 3
    layers = pd.read_csv(results / "tables" / "layers.csv")
    n_features = layers.set_index("layer")["n_features"]
    assert set(n_features["hog"]) == {36 * 7 * 7}
    assert set(n_features["features.0"]) == {64}  # channels, of which the means are recorded
    mine = layers[(layers["model"] == "layers") & (layers["mapping"] == "rsa")]
    assert set(mine["layer"]) == {"first", "second", "third"}
    assert sorted(set(mine["depth"].round(3))) == [0.333, 0.667, 1.0]
    log = (workflow.folder / "logs" / "given" / "features" / "layers.log").read_text()
    assert "rows are taken to be in the order of the study's stimuli" in log
    # A file that is made again makes its features again, and no other's.
    again = workflow.forked("--dry-run", config=study)
    assert "Nothing to be done" in again.stdout
    ids, _, embedding, _ = scene
    rows = pd.DataFrame(embedding[1:], columns=[f"x{i}" for i in range(6)])
    rows.insert(0, "stimulus_id", ids[1:])
    rows.to_csv(workflow.folder / "made" / "embedding.csv", index=False)
    failed = workflow.forked("--", "results/given/features/embedding.nc", config=study)
    assert failed.returncode == 1
    assert "embedding.csv: stimulus_id: lacks 1 of the 72 stimuli: '000'; add them" in failed.stdout


def test_a_coordinate_that_there_is_not_is_one_line(workflow, study):
    table = workflow.folder / "models.tsv"
    table.write_text("model\tsource\tarchitecture\nwords\tlabels\tcategori\n")
    done = workflow.forked("--dry-run", config=study)
    assert done.returncode == 1
    assert "the stimuli have no coordinate 'categori'; use one of category, stim" in done.stdout
