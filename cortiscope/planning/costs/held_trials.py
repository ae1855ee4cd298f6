"""How many repetitions of a stimulus the jobs of a study hold in memory: by what was recorded.

A large recording that is small in its file is read for that, once: what is found is kept by its
place, size and date.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

import numpy as np

from cortiscope.experiment.formats import opened
from cortiscope.experiment.sizes import area_names, in_time_bins, time_bins
from cortiscope.experiment.trials import LARGE, Hold, repetitions_held
from cortiscope.files import replacing
from cortiscope.planning.settings import response_settings
from cortiscope.planning.study import Study

FOLDER = Path("resources/trials")
BYTES_A_NUMBER = 1.5  # in a file, on average: of a full recording it takes more, compressed too


@cache
def held_trials(study: Study) -> dict[str, float]:
    """Area to the repetitions that a job holds of a stimulus, on average (see `read_trials`)."""
    source = study.source("responses")
    every = dict.fromkeys(study.neuroids, float(study.repetitions))
    if not source or study.repetitions == 1:
        return every
    section, about = study.config["responses"], [Path(file).stat() for file in source]
    values = study.n_stimuli * study.repetitions * sum(study.neuroids.values())
    if values <= LARGE or about[0].st_size > BYTES_A_NUMBER * values:
        return every  # what is empty would be compressed
    files = [(stat.st_size, stat.st_mtime_ns) for stat in about]
    named = [source, files, response_settings(study)]
    file = FOLDER / f"{hashlib.sha256(json.dumps(named).encode()).hexdigest()[:16]}.json"
    if file.is_file():
        return {name: float(held) for name, held in json.loads(file.read_text()).items()}
    with opened("responses", section, source) as (recording, names):
        areas = np.array(area_names(recording, names["area"]))
        found = repetitions_held(recording[names["variable"]], areas)
        bins = time_bins(recording, names["variable"])
    held = {name: found[area] for area in found for name in in_time_bins(area, bins)}
    with replacing(file) as temporary:
        temporary.write_text(json.dumps(held))
    return held


def mean_held(study: Study, areas: list[str], hold: Hold = "trials") -> float:
    """Over the neuroids of some areas, of what `read_trials` holds."""
    if hold != "trials":
        return 1.0 if hold == "mean" else float(study.repetitions)
    held = held_trials(study)
    total = sum(study.neuroids[area] for area in areas)
    return sum(study.neuroids[area] * held[area] for area in areas) / total


def stimuli_compared(study: Study, areas: list[str]) -> int:
    """Between how many stimuli the ceilings of some areas compare: those shown more than once."""
    held, every = held_trials(study), study.repetitions
    shares = [(held[area] - 1) / every if held[area] < every else 1.0 for area in areas]
    return round(max(shares) * study.n_stimuli)
