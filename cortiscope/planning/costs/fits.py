"""The fits of a study, cut into jobs: which layers and areas share one, and the files it writes."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cortiscope.file_names import encoded
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.networks.projection_kinds import components_kept
from cortiscope.planning.costs.fit_seconds import seconds_per_layer
from cortiscope.planning.settings import mapping_settings
from cortiscope.planning.study import Study

# A job should work about this long: its start-up then costs a percent on a laptop, some on SLURM.
SECONDS_PER_JOB = 120.0
# Where layers take longer, for so many of them, that a study of many networks has no more jobs than
# a cluster can queue; but not for so long that much is lost with a job.
LAYERS_PER_JOB, MOST_SECONDS_PER_JOB = 10, 1800.0


@dataclass(frozen=True)
class Fits:
    """Those of a study; each of the area that its files name, or, where that is "", of all."""

    study: Study

    @cached_property
    def areas_share_jobs(self) -> bool:
        """Whether a fit job scores all areas: where one layer against all of them is soon done."""
        return self.study.config["fits"]["layers_per_job"] == "auto" and all(
            self.seconds_per_layer(mapping, "") <= MOST_SECONDS_PER_JOB
            for mapping in self.study.config["mappings"]
        )

    def blocks(self, mapping: str, model: str, area: str) -> dict[str, list[str]]:
        """Block name to the layers that one fit job scores."""
        layers, per_job = self.study.layers(model), self.study.config["fits"]["layers_per_job"]
        if MAPPINGS[mapping].joint:
            per_job = len(layers)
        elif per_job == "auto":
            per_job = layers_per_job(self.seconds_per_layer(mapping, area))
        if (model, per_job) not in self._blocks:
            self._blocks[model, per_job] = name_blocks(layers, per_job)
        return self._blocks[model, per_job]

    @cached_property
    def _blocks(self) -> dict[tuple[str, int], dict[str, list[str]]]:
        # Every fit of a large study asks, and asks again.
        return {}

    def block_layers(self, mapping: str, model: str, layers: str, area: str) -> list[str]:
        """The layers of the block that is named `layers`."""
        return self.blocks(mapping, model, area)[layers]

    def minutes(self, mapping: str, model: str, layers: str, area: str, attempt: int = 1) -> int:
        """Minutes to allow a fit job: many times the estimate, as nodes differ."""
        n_layers = len(self.block_layers(mapping, model, layers, area))
        return attempt * (10 + int(n_layers * self.seconds_per_layer(mapping, area) / 6))

    def seconds_per_layer(self, mapping: str, area: str) -> float:
        study, settings = self.study, mapping_settings(self.study, mapping)
        features = study.config["features"]
        of_projection = features["projection"], study.n_stimuli, sys.maxsize, features["components"]
        components = components_kept(*of_projection)
        # Who predict neuroids take as long for those of all subjects as for each subject's.
        times = dict.fromkeys(study.neuroids, 1) if MAPPINGS[mapping].of_neuroids else study.parts
        return self._fits_apart(mapping) * sum(
            times[name]
            * seconds_per_layer(
                mapping, study.n_stimuli, study.neuroids[name], settings, components
            )
            for name in study.fitted(area)
        )

    def _fits_apart(self, mapping: str) -> int:
        """How many times a fit costs what it would where one serves all folds: with a gap, none."""
        validation = self.study.config["cross_validation"]
        if not validation["gap"] or "cross_validation" not in MAPPINGS[mapping].sections:
            return 1
        n_stretches = -(-self.study.n_stimuli // validation["block"])
        asked = validation["folds"]
        return n_stretches if asked == "loo" else min(int(asked), n_stretches)

    def score_files(self, model: str) -> list[str]:
        """Every score file of a model."""
        study = self.study
        return [
            f"results/{study.name}/scores/{mapping}/{model}/{block}/{encoded(area)}.nc"
            for mapping in MAPPINGS  # in this order, however the config has them
            if mapping in study.config["mappings"]
            for area in study.areas
            for block in self.blocks(mapping, model, "" if self.areas_share_jobs else area)
        ]

    def deleted_scores(self) -> list[str]:
        """Those that are gone while what was made of them is there: Snakemake misses none."""
        tables = Path("results", self.study.name, "tables", "models")
        made = [name for name in self.study.models if (tables / f"{name}.layers.parquet").exists()]
        files = [file for model in made for file in self.score_files(model)]
        return [file for file in files if not Path(file).exists()]


def layers_per_job(of_layer: float) -> int:
    """Of one layer's seconds alone: whatever else is in the study, blocks stay as they are."""
    aim = min(max(SECONDS_PER_JOB, LAYERS_PER_JOB * of_layer), MOST_SECONDS_PER_JOB)
    return max(1, int(aim / of_layer))


def name_blocks(layers: Sequence[str], per_job: int) -> dict[str, list[str]]:
    """Cut the layers of a model into blocks named by their first and last index (`00-19`)."""
    width = max(2, len(str(len(layers) - 1)))
    starts = range(0, len(layers), per_job)
    blocks = [(start, layers[start : start + per_job]) for start in starts]
    return {
        f"{start:0{width}d}-{start + len(block) - 1:0{width}d}": list(block)
        for start, block in blocks
    }
