"""The recordings that the field now uses, at their sizes, on made arrays: time and memory a stage.

    python benchmarks/families.py [--only NAME ...] [--stages STAGE ...] [--layers N] [--folder DIR]

Of each family a recording is made, with signals planted in features and noise in every trial, as a
netCDF file that a study names as its source, and features of 4,096 components, of which the study
keeps what it would of a layer of any size. Then the scripts of the workflow run on it, each in a
process of its own with one thread, as their rules would run them: `responses` brings the recording
in, `ceilings` bounds its noise, and a fit for each of the mappings scores the layers against the
area. Where there are images that were shown often, they are the test part of a given split;
elsewhere ten folds are held out. Said are CPU minutes and the peak of resident memory of the whole
process, interpreter included, and beside them what the planner expects. Further layers take time
and no memory. One layer by default, of the twelve or so of the networks that such families are
scored with. Of Linux, which says the peak of a process.

Families: NAME in the first column. `subjects` have neuroids each, in one file.
"""

import argparse
import importlib.util
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import yaml
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cortiscope.files import provenance
from cortiscope.planning import settings
from cortiscope.planning.costs import jobs
from cortiscope.planning.costs.fits import Fits
from cortiscope.planning.digest import code_digest, mapping_digest
from cortiscope.planning.study import Study

REPOSITORY = Path(__file__).resolve().parents[1]
AREA, MODEL = "IT", "made"
N_KEPT = 4096  # numbers of a stimulus that are given of a layer, as `fold` leaves of any more
SIGNALS = 20  # leading components that neuroids follow
AT_ONCE = 2**24  # numbers that are made together
STAGES = ("responses", "ceilings", "ridge", "rsa")


@dataclass(frozen=True)
class Family:
    """n_stimuli, n_test: trained on and tested; of no test stimuli folds are held out. trials,
    test_trials: of each. n_neuroids: of each subject.
    """

    n_stimuli: int
    n_neuroids: int
    trials: int
    n_test: int = 0
    test_trials: int = 0
    subjects: int = 1

    @property
    def every(self) -> int:
        return self.n_stimuli + self.n_test


FAMILIES = {
    "triple_n": Family(1_000, 21_059, 1),
    "nsd515": Family(515, 15_000, 3),
    "things_fmri": Family(8_640, 915, 1, 100, 12),
    "tvsd": Family(22_248, 742, 1, 100, 30),
    "things_eeg2": Family(16_540, 1_020, 4, 200, 80),
    "laion_fmri": Family(5_833, 1_485, 2, subjects=5),
    "nsd10000": Family(10_000, 15_000, 3),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--stages", nargs="+", default=list(STAGES))
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to keep what is made")
    parser.add_argument("--run", help="one stage, in this process")
    asked = parser.parse_args()
    if asked.run:
        print(json.dumps(measured(asked.folder, asked.run)))
        return
    print(
        f"{'family':<12} {'stage':<10} {'CPU min':>8} {'planned':>8} {'peak MB':>8} {'planned':>8}"
    )
    with tempfile.TemporaryDirectory() as temporary:
        for name in asked.only:
            folder = (asked.folder or Path(temporary)).absolute() / name
            if not (folder / "study.yaml").is_file():
                make(FAMILIES[name], folder, asked.layers)
                for stage in ("stimuli", "features"):
                    run(folder, stage)
            for stage in asked.stages:
                print(f"{name:<12} {stage:<10} {run(folder, stage)}", flush=True)


def run(folder: Path, stage: str) -> str:
    command = [sys.executable, __file__, "--folder", str(folder), "--run", stage]
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    done = subprocess.run(command, env=os.environ | one, text=True, stdout=subprocess.PIPE)
    if done.returncode:
        return f"failed ({done.returncode})"
    found = json.loads(done.stdout.splitlines()[-1])
    ratio = found["planned_megabytes"] / found["megabytes"]
    return (
        f"{found['minutes']:8.2f} {found['planned_minutes']:8.2f} {found['megabytes']:8.0f}"
        f" {found['planned_megabytes']:8.0f}  planned {ratio:.2f} times the peak"
    )


def measured(folder: Path, stage: str) -> dict[str, float]:
    """What a stage takes in this process, and what was planned."""
    os.chdir(folder)
    study = Study.load(yaml.safe_load(Path("study.yaml").read_text()), REPOSITORY)
    arguments, megabytes, seconds = ask(study, stage)
    script = "fit" if stage in study.config["mappings"] else stage
    start = time.process_time()
    called(script, arguments)
    return {
        "minutes": (time.process_time() - start) / 60,
        "planned_minutes": seconds / 60,
        "megabytes": peak(),
        "planned_megabytes": megabytes,
    }


def peak() -> float:
    """Megabytes that were resident at most: of this process alone, which rusage does not say of one
    that a larger process started.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    (found,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(found) * 1024 / 1e6


def called(script: str, arguments: Mapping[str, Any]) -> None:
    """The `main` of a script of the workflow, with what of the arguments it names."""
    path = REPOSITORY / "workflow" / "scripts" / f"{script}.py"
    spec = importlib.util.spec_from_file_location(script, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(**{name: arguments[name] for name in inspect.signature(module.main).parameters})


def ask(study: Study, stage: str) -> tuple[dict[str, Any], float, float]:
    """What the rule of a stage gives its script, the megabytes and the seconds planned for it."""
    arguments = {name: f"{name}.nc" for name in ("stimuli", "responses", "features")} | {
        "stimuli_made_by": settings.stimuli_made_by(study),
        "responses_made_by": settings.responses_made_by(study),
        "features_made_by": settings.features_made_by(study, MODEL),
        **{"weights": None, "low_level": None, "threads": 1, "memory": 0, "note": print},
        **{"independence": f"{stage}.csv", "subjects": "mean", "mapping": stage, "model": MODEL},
        **{"ceilings": [f"ceilings/{AREA}.nc"], "scores": [f"scores/{stage}/{AREA}.nc"]},
        "layers": study.layers(MODEL),
    }
    params, code, planned = rule(study, stage)
    source = study.source(stage) if stage in ("stimuli", "responses") else []
    made_by = provenance(study.name, stage, params, code)
    return arguments | params | {"source": source, "provenance": made_by}, *planned


def rule(study: Study, stage: str) -> tuple[dict[str, Any], str, tuple[float, float]]:
    """The params of a stage, the digest of its code, and what is planned for it."""
    unknown = float("nan")
    params: dict[str, Any] = {"stimuli_made_by": settings.stimuli_made_by(study)}
    if stage == "stimuli":
        params = {"settings": settings.stimulus_settings(study), "images_digest": ""}
        code = code_digest("stimuli", *settings.stimulus_modules(study))
        return params, code, (unknown, unknown)
    if stage == "features":
        params |= {"row": study.shown_row(MODEL), "layers": study.layer_tables[MODEL]}
        params |= {"settings": settings.features_settings(study, MODEL)}
        planned = jobs.features_memory(study, MODEL), unknown
        return params, settings.features_code(study, MODEL), planned
    if stage == "responses":
        params |= {"settings": settings.response_settings(study)}
        code = code_digest("responses", *settings.response_modules(study))
        return params, code, (jobs.responses_memory(study), unknown)
    if stage == "ceilings":
        seconds = 6.0 * (jobs.ceilings_minutes(study, "") - 10)
        params = {"settings": study.section("ceilings", "rsa")}
        return params, code_digest("ceilings"), (jobs.ceilings_memory(study, ""), seconds)
    seconds = len(study.layers(MODEL)) * Fits(study).seconds_per_layer(stage, "")
    planned = jobs.fit_memory(study, stage, MODEL, ""), seconds
    return {"settings": settings.mapping_settings(study, stage)}, mapping_digest(stage), planned


def make(family: Family, folder: Path, n_layers: int) -> None:
    """The files that a study is of, and its config."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    ids = np.array([f"image{number:05d}" for number in range(family.every)], dtype=object)
    tested = np.arange(family.every) >= family.n_stimuli
    size = 1 / np.sqrt(np.arange(1, N_KEPT + 1, dtype=np.float32))
    with _file(folder / "made.nc", ids) as held:
        held.createDimension("feature", N_KEPT)
        for number in range(n_layers):
            values = random.standard_normal((family.every, N_KEPT), np.float32) * size
            name = f"layer{number:02d}"
            held.createVariable(name, "f4", ("stimulus", "feature"))[...] = values
            leading = values[:, :SIGNALS].copy()
    with _file(folder / "shown.nc", ids) as held:
        for name, length in (("y", 2), ("x", 2), ("channel", 3)):
            held.createDimension(name, length)
        pictures = random.integers(0, 256, (family.every, 2, 2, 3), np.uint8)
        dims = ("stimulus", "y", "x", "channel")
        held.createVariable("image", "u1", dims)[...] = pictures
        part = np.where(tested, "test", "train").astype(object)
        held.createVariable("part", str, ("stimulus",))[...] = part
    _record(folder / "recorded.nc", family, ids, leading / size[:SIGNALS])
    table = "model\tsource\tarchitecture\tlayers\tpreprocessing\tfamily\n"
    (folder / "models.tsv").write_text(f"{table}{MODEL}\tfeatures\tmade.nc\t\t\tmade\n")
    config = {
        "study": folder.name,
        "stimuli": {"source": "shown.nc"},
        "responses": {"source": "recorded.nc"},
        "models": {"table": "models.tsv"},
        "mappings": ["ridge", "rsa", "cka", "pls"],
        "cross_validation": {"split": "part" if family.n_test else ""},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(config))


def _record(path: Path, family: Family, ids: NDArray, leading: NDArray) -> None:
    """Trials that follow leading components (stimulus, component), with noise of twice the size."""
    random = np.random.default_rng(1)
    n_neuroids = family.n_neuroids * family.subjects
    n_trials = max(family.trials, family.test_trials)
    weights = random.standard_normal((SIGNALS, n_neuroids), np.float32) / SIGNALS**0.5
    step = max(1, AT_ONCE // (n_trials * n_neuroids))
    with _file(path, ids) as held:
        held.createDimension("repetition", n_trials)
        held.createDimension("neuroid", n_neuroids)
        held.createVariable("area", str, ("neuroid",))[...] = np.full(n_neuroids, AREA, object)
        if family.subjects > 1:
            who = np.repeat([f"s{one}" for one in range(family.subjects)], family.n_neuroids)
            held.createVariable("subject", str, ("neuroid",))[...] = who.astype(object)
        variable = held.createVariable(
            "response",
            "f4",
            ("stimulus", "repetition", "neuroid"),
            chunksizes=(1, n_trials, n_neuroids),
            zlib=family.trials < n_trials,  # what is empty takes no space
            complevel=1,
        )
        for start in range(0, family.every, step):
            shown = leading[start : start + step]
            trials = random.standard_normal((len(shown), n_trials, n_neuroids), np.float32)
            trials = 2 * trials + (shown @ weights)[:, None]
            once = np.arange(start, start + len(shown)) < family.n_stimuli
            trials[once, family.trials :] = np.nan
            variable[start : start + len(shown)] = trials


def _file(path: Path, ids: NDArray) -> netCDF4.Dataset:
    held = netCDF4.Dataset(path, "w")
    held.createDimension("stimulus", len(ids))
    held.createVariable("stimulus_id", str, ("stimulus",))[...] = ids
    return held


if __name__ == "__main__":
    main()
