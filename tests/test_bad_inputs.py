"""Whatever is wrong with a study, its user reads one line: where, what, and what to do.

Every case writes a bad input and runs Snakemake as a user would: a dry run where reading the
Snakefile is enough, else the one job that can see it.
"""

import pickle
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
import yaml
from dry_runs import snakemake
from PIL import Image
from safetensors.torch import save_file

from cortiscope.layers import write_tables
from cortiscope.models import read_models
from tests.running import REPOSITORY, SMALL

HEADER = (REPOSITORY / "config" / "models.tsv").read_text().splitlines()[0]
STIMULI = "resources/shapes/stimuli.nc"
RESPONSES = "resources/shapes/responses.nc"
ACCURACY = "results/shapes/accuracy/net.csv"
N_STIMULI = 12

CASES = []


def case(line, target=None):
    """Register a bad input: a function that writes it into a folder and returns a config.

    line: what the user must read after `error: `, with `...` for anything.
    target: the file whose job finds it; without one, reading the Snakefile does.
    """

    def register(write):
        CASES.append(pytest.param(write, line, target, id=write.__name__))
        return write

    return register


@pytest.fixture(scope="module")
def layer_tables(tmp_path_factory):
    """The layers of shapenet5, as a first dry run lists them, for cases that go beyond that."""
    folder = tmp_path_factory.mktemp("layers")
    schema = REPOSITORY / "workflow" / "schemas" / "models.schema.yaml"
    rows = read_models(REPOSITORY / "config" / "models.tsv", ["shapenet5"], schema)
    write_tables(list(rows.values()), folder)
    return folder


def configure(folder, sections):
    """The small study with one model and some sections of its config changed."""
    config = yaml.safe_load(SMALL.read_text())
    config["models"] = {"names": ["shapenet5_untrained"]}
    for name, section in sections.items():
        both = isinstance(section, dict) and isinstance(config.get(name), dict)
        config[name] = config[name] | section if both else section
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def models(folder, *rows, header=HEADER):
    """A models table of rows of words; `-` stands for an empty cell."""
    lines = ["\t".join("" if cell == "-" else cell for cell in row.split()) for row in rows]
    (folder / "models.tsv").write_text("\n".join([header, *lines]) + "\n")
    return {"models": {"table": "models.tsv", "names": "all"}}


def weighted(folder, file, checksum="-"):
    """A study of one network with the weights of a file, measured on a folder of images."""
    (folder / "labelled" / "square").mkdir(parents=True)
    row = f"net zoo shapenet5 {file} {checksum} 0 relu*,average auto ShapeNet trained"
    return models(folder, row) | {"accuracy": {"images": "labelled"}}


def recorded(folder, images="stimuli.nc", **changes):
    """A study of stimuli and responses in files, some of their variables changed."""
    random = np.random.default_rng(0)
    names = [f"image{number:02d}" for number in range(N_STIMULI)]
    shown = xr.Dataset(
        {"image": (("stimulus", "y", "x"), random.integers(0, 256, (N_STIMULI, 8, 8), np.uint8))},
        coords={"stimulus_id": ("stimulus", names)},
    )
    recording = xr.Dataset(
        {"response": (("stimulus", "neuroid"), random.normal(size=(N_STIMULI, 3)))},
        coords={"stimulus_id": ("stimulus", names), "area": ("neuroid", ["V1", "IT", "IT"])},
    )
    changes = {"shown": lambda dataset: dataset, "recording": lambda dataset: dataset} | changes
    changes["shown"](shown).to_netcdf(folder / "stimuli.nc")
    changes["recording"](recording).to_netcdf(folder / "responses.nc")
    return {
        "stimuli": {"source": images},
        "responses": {"source": "responses.nc"},
        "cross_validation": {"folds": 4},
    }


def pictures(folder):
    """The same with the stimuli as a folder of images."""
    config = recorded(folder, images="pictures")
    (folder / "pictures").mkdir()
    for number in range(N_STIMULI):
        picture = Image.fromarray(np.full((8, 8, 3), number, np.uint8))
        picture.save(folder / "pictures" / f"image{number:02d}.png")
    return config


# Seen when the Snakefile is read: the config


@case("config: ridge: unknown key 'alpha'; did you mean 'alphas'?")
def misspelt_key(folder):
    return {"ridge": {"alpha": [1.0]}}


@case("config: ridge.alphas[1]: 0 is not valid; use a number above 0")
def alpha_of_zero(folder):
    return {"ridge": {"alphas": [1.0, 0]}}


@case("config: responses: None is not valid; use a section of keys")
def empty_section(folder):
    return {"responses": None}


@case(
    "config: ridge.protocol: conwell2021 needs sparse random projections;"
    " set features.projection: srp"
)
def conwell2021_without_srp(folder):
    return {"ridge": {"protocol": "conwell2021"}}


@case(
    "config: responses.select: the neuroids have no coordinate 'reliabilty';"
    " use one of area, neuroid_id, reliability"
)
def selection_by_an_unknown_coordinate(folder):
    return {"responses": {"select": "reliabilty >= 0.75"}}


@case(
    "config: responses.select: the neuroids have no coordinate 'reliability';"
    " use one of area, neuroid_id"
)
def selection_by_reliability_without_repetitions(folder):
    config = recorded(folder)
    return config | {"responses": config["responses"] | {"select": "reliability >= 0.75"}}


@case(
    "config: responses.select: none of 2 neuroids in 'IT' fulfils it;"
    " ask less, or leave out the area",
    target="results/shapes/ceilings/IT.nc",
)
def selection_of_no_neuroid(folder):
    config = recorded(folder)
    return config | {"responses": config["responses"] | {"select": "area == V1"}}


@case("config: hierarchy: no area 'V2'; use some of ['V1', 'V4', 'IT']")
def hierarchy_of_unknown_areas(folder):
    return {"hierarchy": ["V1", "V2"]}


@case("config: statistics.correction: 'bonferroni' is not valid; use one of holm, fdr")
def unknown_correction(folder):
    return {"statistics": {"correction": "bonferroni"}}


@case("config: cross_validation.folds: 65 folds of 64 stimuli; give a number from 2 to 64, or loo")
def more_folds_than_stimuli(folder):
    return {"cross_validation": {"folds": 65}}


@case(
    "config: cross_validation.group: the stimuli have no coordinate 'kategory';"
    " use one of background, category, ..."
)
def unknown_grouping_coordinate(folder):
    return {"cross_validation": {"group": "kategory"}}


@case("config: rsa_remixed.property: the stimuli have no coordinate 'animacy'; use one of ...")
def unknown_property(folder):
    return {"mappings": ["rsa_remixed"], "rsa_remixed": {"property": ["category", "animacy"]}}


@case("config: rsa_remixed.property: 'size' has 64 values for 64 stimuli; name a coordinate of ...")
def property_that_is_no_category(folder):
    return {"mappings": ["rsa_remixed"], "rsa_remixed": {"property": "size"}}


@case(
    "config: rsa.dissimilarity: crossnobis needs 4 repetitions, the responses have 1;"
    " use one of pearson, euclidean, squared_euclidean, cosine"
)
def crossnobis_without_repetitions(folder):
    asked = {"mappings": ["rsa"], "rsa": {"dissimilarity": "crossnobis"}}
    return asked | {"responses": {"repetitions": 1}}


@case("config: rsa.comparison: cosine compares by a zero, ...; use spearman, pearson or kendall")
def cosine_of_what_is_learnt(folder):
    return {"mappings": ["rsa_reweighted"], "rsa": {"comparison": "cosine"}}


@case("config: cross_validation.folds: 4 folds, where unit_weighted holds out pairs...; give 5 ...")
def too_few_folds_to_hold_out_pairs(folder):
    return {"mappings": ["unit_weighted"], "cross_validation": {"folds": 4}}


@case(
    "config: decoding.properties: the stimuli have no coordinate 'colour';"
    " use one of background, category, ..."
)
def unknown_property_to_decode(folder):
    return {"decoding": {"properties": ["category", "colour"]}}


@case(
    "config: decoding.properties[1].rotation: -90 is not valid;"
    " use a number above 0 or one of discrete, continuous"
)
def period_below_zero(folder):
    return {"decoding": {"properties": ["category", {"rotation": -90}]}}


@case(
    "config: responses.source: shapes, which answers only to the simulated stimuli;"
    " give the recording to these stimuli, or set stimuli.source: shapes"
)
def own_stimuli_without_responses(folder):
    return recorded(folder) | {"responses": {}}


# The models table


@case("models.tsv: line 2: unknown key 'wieghts'; did you mean 'weights'?")
def unknown_column(folder):
    row = "net zoo shapenet5 none - 0 relu* auto - untrained"
    return models(folder, row, header=HEADER.replace("weights", "wieghts"))


@case("models.tsv: line 2: not as many cells as columns; separate them by tabs")
def too_few_cells(folder):
    return models(folder, "net zoo shapenet5 none")


@case("models.tsv: line 3: model: 'net' stands twice; give each row its own name")
def duplicate_models(folder):
    row = "net zoo shapenet5 none - {} relu* auto - untrained"
    return models(folder, row.format(0), row.format(1))


@case("config: models.names: ['net', 'net'] is not valid; use 'all' or a list ...")
def duplicate_names(folder):
    return {"models": {"names": ["net", "net"]}}


@case("config: models.names: 'shapenet55' is not in ...models.tsv; near: shapenet5, ...")
def unknown_model_name(folder):
    return {"models": {"names": ["shapenet55"]}}


@case("models table: net: architecture: torchvision has no 'resnet19'; near: resnet1...")
def unknown_architecture(folder):
    return models(folder, "net torchvision resnet19 none - 0 conv auto - untrained")


@case("models table: net: layers: 'rleu3' matches no layer; near: relu3, ...")
def unknown_layer(folder):
    return models(folder, "net zoo shapenet5 none - 0 rleu3 auto - untrained")


@case(
    "models table: net: weights: no file or folder 'net.pth' under ...;"
    " check the path, or set data_root"
)
def missing_weights(folder):
    return models(folder, "net zoo shapenet5 net.pth - 0 relu* auto - trained")


# The data, as far as headers tell


@case(
    "config: stimuli.source: no file or folder 'stimuli.nc' under ...;"
    " check the path, or set data_root"
)
def missing_stimuli(folder):
    return {"stimuli": {"source": "stimuli.nc"}}


@case("responses.nc: not a readable netCDF-4 file (NetCDF: HDF error); it may be cut short: ...")
def truncated_file(folder):
    config = recorded(folder)
    whole = (folder / "responses.nc").read_bytes()
    (folder / "responses.nc").write_bytes(whole[: len(whole) // 2])
    return config


@case("stimuli.nc: stimulus_id: 'image03' stands twice; make ids unique")
def duplicate_stimulus_ids(folder):
    def twice(shown):
        names = shown["stimulus_id"].values.copy()
        names[7] = names[3]
        return shown.assign_coords(stimulus_id=("stimulus", names))

    return recorded(folder, shown=twice)


@case(
    "responses.nc: stimulus_id: 2 stimuli have no responses ('image00')"
    " and 0 responses have no stimulus; give both files the same stimulus_id values"
)
def stimuli_without_responses(folder):
    return recorded(folder, recording=lambda dataset: dataset.isel(stimulus=slice(2, None)))


@case("responses.nc: response: has dimensions stimulus, unit; name them stimulus, neuroid, ...")
def unknown_dimension(folder):
    return recorded(folder, recording=lambda dataset: dataset.rename_dims(neuroid="unit"))


@case("responses.nc: response: holds no neuroid; add some")
def no_neuroids(folder):
    return recorded(folder, recording=lambda dataset: dataset.isel(neuroid=slice(0)))


@case("config: responses.areas: no area 'V9'; use some of ['V1', 'IT']")
def unknown_area(folder):
    config = recorded(folder)
    config["responses"]["areas"] = ["IT", "V9"]
    return config


@case(
    "config: accuracy.images: labelled: holds no folder per category;"
    " put the images of each category in a folder of their own"
)
def accuracy_without_categories(folder):
    (folder / "labelled").mkdir()
    return {"accuracy": {"images": "labelled"}}


# Seen by a job


@case("stimuli.nc: image: NaN in stimulus number 5; remove or repair that image", STIMULI)
def nan_image(folder):
    def lacking(shown):
        image = shown["image"].astype(float)
        image[5, 2, 2] = np.nan
        return shown.assign(image=image)

    return recorded(folder, shown=lacking)


@case("stimuli.nc: holds damaged values (NetCDF: ...); copy it anew, or ...", STIMULI)
def damaged_values(folder):
    """The header is sound; the compressed images are overwritten."""

    def compressed(shown):
        shown["image"].encoding = {"zlib": True, "chunksizes": shown["image"].shape}
        return shown

    config = recorded(folder, shown=compressed)
    content = bytearray((folder / "stimuli.nc").read_bytes())
    start = content.index(b"\x78\x5e")  # how zlib begins at netCDF's level
    content[start + 2 : start + 102] = bytes(100)
    (folder / "stimuli.nc").write_bytes(content)
    return config


@case(
    "pictures/image03.png: is (9, 8) pixels where image00.png is (8, 8);"
    " bring all images to one size",
    STIMULI,
)
def images_of_two_sizes(folder):
    config = pictures(folder)
    Image.new("RGB", (8, 9)).save(folder / "pictures" / "image03.png")
    return config


@case("pictures/image03.png: is not a readable image; replace or remove it", STIMULI)
def corrupt_image(folder):
    config = pictures(folder)
    file = folder / "pictures" / "image03.png"
    content = bytearray(file.read_bytes())
    content[37:41] = b"oops"
    file.write_bytes(content)
    return config


@case(
    "responses.nc: response: all NaN in area 'V1'; take its neuroids out of the file",
    RESPONSES,
)
def area_without_responses(folder):
    def silent(recording):
        return recording.where(recording["area"] != "V1")

    return recorded(folder, recording=silent)


@case(
    "model net: weights net.safetensors: lacks ... tensors, first ...;"
    " use the weights of this architecture",
    ACCURACY,
)
def weights_of_another_architecture(folder):
    save_file({"fc.weight": torch.zeros(8, 4)}, folder / "net.safetensors")
    return weighted(folder, "net.safetensors")


@case(
    "model net: net.safetensors: has SHA-256 ..., expected 000...;"
    " fetch the file again, or correct the checksum",
    ACCURACY,
)
def weights_of_another_checksum(folder):
    save_file({"fc.weight": torch.zeros(8, 4)}, folder / "net.safetensors")
    return weighted(folder, "net.safetensors", "0" * 64)


class Malicious:
    """Unpickled, it leaves a file `ran` behind."""

    def __reduce__(self):
        return Path.touch, (Path("ran"),)


@case(
    "model net: weights net.pth: holds more than tensors, or is damaged, and was not run;"
    " save it with safetensors...",
    ACCURACY,
)
def malicious_weights(folder):
    (folder / "net.pth").write_bytes(pickle.dumps(Malicious()))
    return weighted(folder, "net.pth")


def pattern(line):
    """A line of text in which `...` stands for anything."""
    return re.compile(r".*".join(re.escape(part) for part in line.split("...")))


@pytest.mark.parametrize(("write", "line", "target"), CASES)
def test_a_bad_input_is_one_line(workflow, write, line, target, request):
    config = configure(workflow.folder, write(workflow.folder))
    if target:
        tables = request.getfixturevalue("layer_tables")
        shutil.copytree(tables, workflow.folder / "resources" / "layers")
    asked = ["rules", "--", target] if target else ["all", "--dry-run"]
    arguments = workflow.arguments("--quiet", *asked, config=config)
    status, said = snakemake(arguments, REPOSITORY, workflow.folder / "said.log")
    assert status != 0
    assert "Traceback" not in said
    # What a job says also stands in its log, which Snakemake shows again.
    errors = dict.fromkeys(text for text in said.splitlines() if "error: " in text)
    assert len(errors) == 1, said
    assert pattern(f"error: {line}").fullmatch(*errors), said
    assert not (workflow.folder / "ran").exists()
