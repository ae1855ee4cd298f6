"""Edits of a study and exactly the jobs that must run after each.

`python tests/edits.py` prints the table that docs/reruns.md shows.
"""

import sys

import yaml
from edit_table import (
    DECODED,
    DRAWN,
    FIGURES,
    FITS,
    MAPPINGS,
    MODELS,
    OF_AREAS,
    OF_MODELS,
    ONE_MAPPING,
    ONE_MODEL,
    READ_OUT,
    TABLES,
    edit,
    markdown,
)

ADDED_MODEL, ADDED_LAYERS = "shapenet2", "relu*,average,pool1"  # of shapenet5
OWN = """
from cortiscope.networks.sources import zoo


def build():
    return zoo.build("shapenet5")
"""


# What changes nothing


@edit("Nothing")
def nothing(study):
    pass


@edit("Touch every file: config, code, weights, stimuli, features, scores")
def touch(study):
    study.touch()


@edit("Add comments to a module, a script and a rule; reword a docstring")
def comment(study):
    for file in (
        "cortiscope/regression/ridge.py",
        "workflow/scripts/fit.py",
        "workflow/rules/fits.smk",
    ):
        study.write(file, "# A comment.\n" + study.code(file) + "\n# Another.\n")
    module = study.code("cortiscope/files.py")
    study.write("cortiscope/files.py", module.replace('"""netCDF-4 files', '"""Files', 1))


@edit("Reorder the keys of the config, write 10 as 10.0, comment it")
def reorder(study):
    def backwards(value):
        return {k: backwards(value[k]) for k in reversed(value)} if type(value) is dict else value

    default = yaml.safe_load(study.code("config/config.yaml"))
    default["figures"]["font_size"] = float(default["figures"]["font_size"])
    default["ridge"]["alphas"] = [float(alpha) for alpha in default["ridge"]["alphas"]]
    text = yaml.safe_dump(backwards(default), sort_keys=False)
    study.write("config/config.yaml", "# Edited.\n" + text)


@edit("Give the same values with `--config` instead of a file")
def same_values(study):
    sections = {name: yaml.safe_dump(value) for name, value in study.config.items()}
    flow = {name: yaml.safe_dump(yaml.safe_load(v), default_flow_style=True, width=999).strip()
            for name, v in sections.items()}  # fmt: skip
    study.arguments += ["--config", *(f"{name}={value}" for name, value in flow.items())]
    study.config = {}


@edit("Reorder the columns of the models table, fill in its defaults")
def columns(study):
    def change(lines):
        place = lines[0].index("preprocessing")
        for line in lines[1:]:
            line[place] = line[place] or "auto"
        return [line[::-1] for line in lines]

    study.models(change)


@edit("Change the seed of an exact projection, which draws nothing")
def exact_seed(study):
    study.settings("features", seed=7)


@edit("Name another variable or area, which simulated stimuli and responses have not")
def unread(study):
    study.settings("stimuli", variable="picture", keep="common")
    study.settings("responses", variable="dissimilarity", area="region")


@edit("Delete the features of a model, to free disk space")
def delete_features(study):
    study.path("results/shapes/features/shapenet5.nc").unlink()


# Models


@edit("Add a model", **ONE_MODEL, accuracy=1)
def add_model(study):
    study.settings("models", names=[*study.config["models"]["names"], ADDED_MODEL])


@edit("Remove a model", **DRAWN, **READ_OUT)
def remove_model(study):
    study.settings("models", names=study.config["models"]["names"][:-1])


@edit("Add a layer to one model", **ONE_MODEL)
def add_layer(study):
    study.cell("shapenet5", "layers", ADDED_LAYERS)


@edit("Change the weights of one model", **ONE_MODEL, accuracy=1)
def weights(study):
    study.cell("shapenet5", "weights", "resources/zoo/shapenet5_brief.safetensors")


@edit("Change the family of one model", model_table=1, **DRAWN, **READ_OUT)
def family(study):
    study.cell("shapenet5", "family", "Shapes")


@edit("Reorder the rows of the models table", **DRAWN, **READ_OUT)
def rows(study):
    study.models(lambda lines: [lines[0], *reversed(lines[1:])])


# What was shown and recorded


@edit("Add an area", ceilings=1, fit=MODELS * MAPPINGS, **TABLES, decode_area=1, **READ_OUT)
def add_area(study):
    study.settings("responses", areas=["V1", "IT"])
    study.pretend()
    for file in study.path("results").rglob("V4.*"):
        file.unlink()
    study.settings("responses", areas=["IT", "V4", "V1"])


@edit("Leave out an area", **TABLES, **READ_OUT)
def drop_area(study):
    study.settings("responses", areas=["V1", "IT"])


@edit("Record anew: the seed of the responses", responses=1, ceilings=1, **FITS, **OF_AREAS)
def responses(study):
    study.settings("responses", seed=3)


@edit("Fit the reliable neuroids only", responses=1, ceilings=1, **FITS, **OF_AREAS)
def select(study):
    study.settings("responses", select="reliability >= 0.5")


@edit("More validation images", validation=1, accuracy=MODELS, **TABLES)
def validation(study):
    study.settings("accuracy", count=300)


# Settings


@edit("Change the projection", features=MODELS, **FITS, **OF_MODELS)
def projection(study):
    study.settings("features", projection="fold")


@edit("Change the seed of a random projection", features=MODELS, **FITS, **OF_MODELS)
def projection_seed(study):
    study.settings("features", projection="fold")
    study.pretend()
    study.settings("features", seed=7)


@edit("Change ridge's alphas", **ONE_MAPPING, **DECODED)
def alphas(study):
    study.settings("ridge", alphas=[0.1, 1.0, 10.0])


@edit("Change the folds", **ONE_MAPPING, **DECODED)
def folds(study):
    study.settings("cross_validation", folds=5)


@edit("Hold out categories whole", **FITS, **DECODED)
def group(study):
    study.settings("cross_validation", group="category", folds=4)


@edit("Test on a given part of the stimuli", **ONE_MAPPING, **DECODED)
def split(study):
    study.settings("cross_validation", split="part")


@edit("Change the number of permutations", **FITS, **DECODED)
def permutations(study):
    study.settings("statistics", permutations=30)


@edit("Choose the best layer on halves of the data", **FITS)
def selection(study):
    study.settings("selection", method="halves", splits=3)


@edit("Give the best layers in a table", **TABLES)
def given_layers(study):
    (chosen,) = study.path("results").glob("*/tables/accuracy_vs_brain.csv")
    table = study.path("layers.csv")
    table.write_bytes(chosen.read_bytes())
    study.settings("selection", method="given", given=str(table))


@edit("Correct p-values otherwise; give the hierarchy of the areas", **DRAWN)
def correction(study):
    study.settings("statistics", correction="fdr")
    study.config["hierarchy"] = ["V1", "IT"]


@edit("Change the splits of the ceilings", ceilings=1, **TABLES)
def ceilings(study):
    study.settings("ceilings", splits=30)


@edit("Give a published ceiling", **TABLES)
def published_ceiling(study):
    study.settings("ceilings", given={"IT": 0.8})


@edit("Leave out a mapping", **TABLES)
def mapping(study):
    study.config["mappings"] = ["ridge"]


@edit("Add the mapping `variance_partition`", low_level=1, **ONE_MAPPING)
def partition(study):
    study.config["mappings"] = ["ridge", "rsa", "variance_partition"]


@edit("Write a new mapping: a row of the table of mappings, and its file")
def new_mapping(study):
    study.row("kernel_ridge", study.mapping_row("ridge"))
    study.write("cortiscope/mappings/kernel_ridge.py", study.code("cortiscope/mappings/ridge.py"))


@edit("Reword and replan a mapping in the table of mappings", report=1)
def reworded_mapping(study):
    cost = {"formula": "similarity", "seconds": 0.1}
    study.row("rsa", study.mapping_row("rsa") | {"docs": {}, "cost": cost})


@edit("Edit what a fit depends on in a row of that table", **ONE_MAPPING)
def mapping_row(study):
    study.row("rsa", study.mapping_row("rsa") | {"squared": True})


@edit("Choose low-level models, where no mapping reads them")
def low_level(study):
    study.settings("low_level", models=["gabor_energy"])


@edit("Name another property to decode", **DECODED)
def decode(study):
    study.settings("decoding", properties=["category", "size", "background"])


@edit("Change the figures' font size", figures=FIGURES, decoding_figure=1)
def style(study):
    study.settings("figures", font_size=10)


# Code


@edit("Edit a function in `regression/ridge.py`", **ONE_MAPPING, **DECODED)
def ridge(study):
    study.function("cortiscope/regression/ridge.py")


@edit("Edit a function in `similarity/rsa.py`, as ceilings use", ceilings=1, **ONE_MAPPING)
def rsa(study):
    study.function("cortiscope/similarity/rsa.py")


@edit("Edit a function in `noise.py`", ceilings=1, **TABLES)
def noise(study):
    study.function("cortiscope/noise_ceilings/noise.py")


@edit("Edit a function in `decoding.py`", **DECODED)
def decoding(study):
    study.function("cortiscope/regression/decoding.py")


@edit("Edit a function in `projection.py`", features=MODELS, **FITS, **OF_MODELS)
def project(study):
    study.function("cortiscope/networks/projection.py")


@edit("Edit a function in `networks.py`", features=MODELS, accuracy=MODELS, **FITS, **OF_MODELS)
def networks(study):
    study.function("cortiscope/networks/networks.py")


@edit("Edit a function in `sources/file.py`, the source of one model", accuracy=1, **ONE_MODEL)
def source_of_one(study):
    study.own("shapenet5", OWN)
    study.pretend()
    study.function("cortiscope/networks/sources/file.py")


@edit("Edit a function in `sources/torchvision.py`, the source of no model; add a source")
def source_of_none(study):
    module = "cortiscope/networks/sources/torchvision.py"
    study.write(module, study.code(module) + "\nEDITED = True\n")
    study.write("cortiscope/networks/sources/mine.py", "1 / 0\n")
    table = study.code("cortiscope/networks/sources/kinds.py")
    table = table.replace('"zoo": Kind(),', '"zoo": Kind(), "mine": Kind(),')
    study.write("cortiscope/networks/sources/kinds.py", table)


@edit("Edit a function in `layers.py` that lists the same layers")
def layers(study):
    study.function("cortiscope/layers.py")


@edit("Edit a function in `simulated_brain.py`", responses=1, ceilings=1, **FITS, **OF_AREAS)
def simulated_brain(study):
    study.function("cortiscope/experiment/simulated_brain.py")


@edit("Edit the reader of simulated responses", responses=1, ceilings=1, **FITS, **OF_AREAS)
def reader(study):
    study.function("cortiscope/experiment/readers/simulated_responses.py")


@edit("Edit the reader of another format; add a format")
def other_reader(study):
    netcdf = "cortiscope/experiment/readers/netcdf.py"
    study.function(netcdf)
    added = study.code(netcdf).replace("RANK = 1", "RANK = 0").replace("HDF", "hdf")
    study.write(netcdf.replace("netcdf", "added"), added)


@edit("Edit a function in `tables.py`", **DRAWN)
def tables(study):
    study.function("cortiscope/report/tables.py")


@edit("Edit a function in `drawing.py`, which draws all figures", figures=FIGURES)
def figures(study):
    study.function("cortiscope/report/drawing.py")


@edit("Edit a function in `figure_matrices.py`, which two figures use", figures=2)
def matrices(study):
    study.function("cortiscope/report/figure_matrices.py")


@edit("Edit a function in `figures/layer_depth.py`", figures=1)
def figure(study):
    study.function("cortiscope/report/figures/layer_depth.py")


@edit("Edit a function in `page/answer.py`, or the page's style sheet", report=1)
def page(study):
    study.function("cortiscope/report/page/answer.py")
    style = "cortiscope/report/page/page.css"
    study.write(style, study.code(style).replace("44rem", "45rem"))


@edit("Add a figure", figures=1)
def add_figure(study):
    drawn, table = "cortiscope/report/figures/model_by_area.py", "cortiscope/report/plan.py"
    study.write(drawn.replace("model_by_area", "added"), study.code(drawn))
    row = '    "added": Figure(("accuracy_vs_brain",), by_model),\n'
    study.write(table, study.code(table).replace('    "layer_depth"', f'{row}    "layer_depth"'))


# Results


@edit("Delete a score file", fit=1, model_table=1, **DRAWN)
def delete_score(study):
    next(study.path("results/shapes/scores/rsa/shapenet5").rglob("IT.nc")).unlink()


if __name__ == "__main__":
    sys.stdout.write(markdown() + "\n")
