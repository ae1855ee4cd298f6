# The study, and how its rules ask about it. Everything is known when this file is read, so that a
# dry run shows the whole fan-out.

import functools
import gc
import inspect
import os
import sys
from pathlib import Path

import smart_open

from cortiscope.planning import machine

machine.prepare(Path(".snakemake", "cache"))  # before anything that reads the environment

from cortiscope.errors import InputError
from cortiscope.experiment.sizes import is_light
from cortiscope.file_names import decoded, encoded
from cortiscope.headline import headline
from cortiscope.networks.memory import total_on_host
from cortiscope.planning import settings
from cortiscope.planning.checks import agreement, notes, too_much
from cortiscope.planning.checks.given import given_ceilings, given_layers_of
from cortiscope.planning.costs import jobs as costs
from cortiscope.planning.costs.fits import Fits
from cortiscope.planning.digest import code_digest, mapping_digest
from cortiscope.planning.study import Study
from cortiscope.report import plan

if workflow.is_main_process:
    # Held until this process ends: who kills it need not type --unlock afterwards.
    OWNERSHIP = machine.release_stale(Path(".snakemake"))
    # A dry run of ten thousand jobs takes a quarter less when the millions of objects that live
    # until its end are seldom searched for garbage, and when the address of a script, which
    # Snakemake asks for three times a job, is taken apart once.
    gc.set_threshold(100_000, 100, 100)
    smart_open.parse_uri = functools.cache(smart_open.parse_uri)
    os.environ.pop(settings.IMAGES_DIGEST, None)  # of an earlier run
    # Jobs on this machine (a cluster's have --jobs) together ask for no more memory than it has.
    if workflow.nodes is None and "mem_mb" not in workflow.global_resources:
        workflow.register_resource("mem_mb", total_on_host() // 10**6)

try:
    STUDY = Study.load(config, workflow.basedir, workflow.overwrite_configfiles)
    # Here, so that a misspelt layer or a missing file is one line before any job runs.
    agreement.check(STUDY)
    if workflow.is_main_process:
        # Of a cluster's partitions nothing is known here.
        memory = workflow.global_resources.get("mem_mb") if workflow.nodes is None else None
        for line in notes.notes(STUDY) + too_much.too_much(STUDY, getattr(memory, "value", memory)):
            print(f"note: {line}", file=sys.stderr)
except InputError as error:
    sys.exit(f"error: {error}")

FITS = Fits(STUDY)
# As in the names of files: an area may be called V1/V2.
AREAS = [encoded(area) for area in STUDY.areas]
# The areas that a fit job scores: all, or the one in the names of its files.
FIT_AREAS = AREAS if FITS.areas_share_jobs else ["{area}"]
FIT_LOG = "all" if FITS.areas_share_jobs else "{area}"


def of(ask):
    """What a job is told by `ask`, which is called with what its parameters name: the study, the
    attempt, wildcards of the job; an area as the recording names it, or "" where a job has all.
    """
    names = inspect.signature(ask).parameters

    def answer(wildcards, attempt=1):
        area = decoded(wildcards.get("area", ""))
        known = {**dict(wildcards.items()), "study": STUDY, "area": area, "attempt": attempt}
        return ask(**{name: known[name] for name in names})

    return answer


def code(script, *modules):
    """Asked for only by the rules whose jobs run: every SLURM job reads this file, twice."""
    return lambda wildcards: code_digest(script, *modules)


# The pages of the figures, by the names of their files.
PAGES = plan.plan(
    STUDY.areas,
    STUDY.config["mappings"],
    STUDY.labels_by_model,
    STUDY.config["figures"]["font_size"],
)


def page(figure):
    return PAGES[figure]


def measures(figure):
    return [plan.MAPPINGS[mapping].measure for mapping in PAGES[figure]["mappings"]]


def tables(figure):
    return [f"results/{STUDY.name}/tables/{name}.csv" for name in plan.tables(figure)]


def figure_code(figure):
    return code_digest("figures", f"report.figures.{PAGES[figure]['figure']}")
