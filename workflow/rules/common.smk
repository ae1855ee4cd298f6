# The study, and how its rules ask about it. Everything is known when this file is read, so that a
# dry run shows the whole fan-out.

import functools
import gc
import os
import sys
from pathlib import Path

import psutil
import smart_open

from cortiscope.planning import places

places.prepare(Path(".snakemake", "cache"))  # before anything that reads the environment

from cortiscope.planning import agreement, draws, locks, making, needs, scored
from cortiscope.planning.digest import code_digest
from cortiscope.errors import InputError
from cortiscope.file_names import decoded, encoded
from cortiscope.experiment.sizes import is_light
from cortiscope.planning.fits import Fits
from cortiscope.planning.given import given_ceilings, given_layers
from cortiscope.planning.held_trials import mean_held
from cortiscope.planning.properties import (
    decoding_settings,
    properties,
    readout_memory,
    readout_minutes,
)
from cortiscope.planning.response_settings import (
    response_modules,
    response_settings,
    stimulus_modules,
    stimulus_settings,
)
from cortiscope.planning.study import Study
from cortiscope.planning.table_settings import table_settings
from cortiscope.report import plan

if workflow.is_main_process:
    # Held until this process ends: who kills it need not type --unlock afterwards.
    OWNERSHIP = locks.release_stale(Path(".snakemake"))
    # A dry run of ten thousand jobs takes a quarter less when the millions of objects that live
    # until its end are seldom searched for garbage, and when the address of a script, which
    # Snakemake asks for three times a job, is taken apart once.
    gc.set_threshold(100_000, 100, 100)
    smart_open.parse_uri = functools.cache(smart_open.parse_uri)
    os.environ.pop(making.IMAGES_DIGEST, None)  # of an earlier run
    # Jobs on this machine (a cluster's have --jobs) together ask for no more memory than it has.
    if workflow.nodes is None and "mem_mb" not in workflow.global_resources:
        workflow.register_resource("mem_mb", psutil.virtual_memory().total // 10**6)

try:
    STUDY = Study.load(config, workflow.basedir, workflow.overwrite_configfiles)
    # Here, so that a misspelt layer or a missing file is one line before any job runs.
    agreement.check(STUDY)
    if workflow.is_main_process:
        lines = [f"config: {line}" for line in draws.too_few(STUDY)]
        for line in lines + scored.notes(STUDY):
            print(f"note: {line}", file=sys.stderr)
except InputError as error:
    sys.exit(f"error: {error}")

FITS = Fits(STUDY)
GIVEN_LAYERS = given_layers(STUDY)
# As in the names of files: an area may be called V1/V2.
AREAS = [encoded(area) for area in STUDY.areas]
# The areas that a fit job scores: all, or the one in the names of its files.
FIT_AREAS = AREAS if FITS.areas_share_jobs else ["{area}"]
FIT_LOG = "all" if FITS.areas_share_jobs else "{area}"


def area_of(wildcards):
    """Of a job of one area its name, else ""."""
    return decoded(wildcards.get("area", ""))


def code(script, *modules):
    """Asked for only by the rules whose jobs run: every SLURM job reads this file, twice."""
    return lambda wildcards: code_digest(script, *modules)


def images_digest(wildcards):
    return making.images_digest(STUDY)


def labelled_images_digest(wildcards):
    return making.labelled_images_digest(STUDY)


def model_weights(wildcards):
    return STUDY.weights_file(wildcards.model)


def model_architecture(wildcards):
    return STUDY.architecture_file(wildcards.model)


def model_row(wildcards):
    return STUDY.shown_row(wildcards.model)


def network_row(wildcards):
    return STUDY.network_row(wildcards.model)


def model_layers(wildcards):
    return STUDY.layer_tables[wildcards.model]


def layer_names(wildcards):
    return STUDY.layers(wildcards.model)


def weights_checksum(wildcards):
    return STUDY.checksum(wildcards.architecture, wildcards.name)


def model_labels(wildcards):
    return STUDY.labels(wildcards.model)


def model_given_layers(wildcards):
    return GIVEN_LAYERS.get(wildcards.model, {})


def model_scores(wildcards):
    return FITS.score_files(wildcards.model)


def deleted_scores(wildcards):
    """Scores that are gone while what was made of them is there: Snakemake would not miss them."""
    tables = Path("results", STUDY.name, "tables", "models")
    made = [model for model in STUDY.models if (tables / f"{model}.layers.parquet").exists()]
    files = [file for model in made for file in FITS.score_files(model)]
    return [file for file in files if not Path(file).exists()]


def block_layers(wildcards):
    area = area_of(wildcards)
    return FITS.blocks(wildcards.mapping, wildcards.model, area)[wildcards.layers]


def mapping_settings(wildcards):
    return STUDY.mapping_settings(wildcards.mapping)


def low_level_features(wildcards):
    """Of mappings that read them: images shown to other models rerun none of the others."""
    asked = "low_level" in STUDY.mapping_settings(wildcards.mapping)
    return f"resources/{STUDY.name}/low_level.nc" if asked else []


def mapping_code(wildcards):
    return code_digest("fit", f"mappings.{wildcards.mapping}")


def files_made_by(wildcards):
    """What the files of a model must say of their making."""
    accuracy = making.of_accuracy(STUDY, wildcards.model)
    return making.of_scores(STUDY, wildcards.model) | {"accuracy": accuracy}


def features_made_by(wildcards):
    return making.of_features(STUDY, wildcards.model)


def stimuli_made_by(wildcards):
    return making.of_stimuli(STUDY)


def responses_made_by(wildcards):
    return making.of_responses(STUDY)


def features_memory(wildcards, attempt):
    return needs.features_memory(STUDY, wildcards.model, attempt)


def responses_memory(wildcards, attempt):
    return attempt * needs.responses_memory(STUDY)


def ceilings_memory(wildcards, attempt):
    return attempt * needs.ceilings_memory(STUDY, area_of(wildcards))


def ceilings_runtime(wildcards, attempt):
    return attempt * needs.ceilings_minutes(STUDY, area_of(wildcards))


def fit_memory(wildcards, attempt):
    area = area_of(wildcards)
    return attempt * needs.fit_memory(STUDY, area, wildcards.mapping, wildcards.model)


def fit_runtime(wildcards, attempt):
    area, n_layers = area_of(wildcards), len(block_layers(wildcards))
    return attempt * FITS.minutes(wildcards.mapping, area, n_layers)


def searchlight_memory(wildcards, attempt):
    return attempt * needs.searchlight_memory(STUDY, area_of(wildcards), wildcards.model)


def searchlight_runtime(wildcards, attempt):
    return attempt * needs.searchlight_minutes(STUDY, area_of(wildcards), wildcards.model)


def accuracy_memory(wildcards, attempt):
    return needs.accuracy_memory(STUDY, wildcards.model, attempt)


def decoding_memory(wildcards, attempt):
    if "model" in wildcards.keys():
        kept = max(needs.kept(STUDY, wildcards.model))
    else:
        areas = STUDY.fitted(area_of(wildcards))  # held together
        n_neuroids = sum(STUDY.neuroids[area] for area in areas)
        kept = int(n_neuroids * mean_held(STUDY, areas))
    return attempt * readout_memory(STUDY.n_stimuli, kept)


def decoding_runtime(wildcards, attempt):
    """For the layers of a model, or for areas."""
    of_model = "model" in wildcards.keys()
    n_read = len(STUDY.layers(wildcards.model)) if of_model else len(FIT_AREAS)
    n_readouts = n_read * len(properties(STUDY.config))
    permutations = STUDY.config["statistics"]["permutations"]
    return attempt * readout_minutes(STUDY.n_stimuli, n_readouts, permutations)


def family_labels(wildcards):
    """In the order of the models table, which is that of the rows."""
    columns = ("family", "architecture", "training")
    every = {model: STUDY.labels(model) for model in STUDY.models}
    return {model: {key: labels[key] for key in columns} for model, labels in every.items()}


# The pages of the figures, by the names of their files.
PAGES = plan.plan(
    STUDY.areas,
    STUDY.config["mappings"],
    {model: STUDY.labels(model) for model in STUDY.models},
    STUDY.config["figures"]["font_size"],
)


def figure_page(wildcards):
    return PAGES[wildcards.figure]


def figure_tables(wildcards):
    return [f"results/{STUDY.name}/tables/{name}.csv" for name in plan.tables(wildcards.figure)]


def figure_code(wildcards):
    return code_digest("figures", f"report.figures.{PAGES[wildcards.figure]['figure']}")
