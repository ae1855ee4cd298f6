"""Score files of imaginary models with known answers, for the tests of tables and figures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cortiscope import files
from cortiscope.files import Variable
from cortiscope.report import model_tables, parquet, tables

PROVENANCE = {"study": "synthetic", "rule": "test"}


@dataclass
class Synthetic:
    """A folder with the score, ceiling and accuracy files of a few models."""

    folder: Path
    areas: tuple[str, ...]
    mappings: tuple[str, ...] = ("ridge", "rsa")
    n_layers: int = 5
    n_draws: int = 40
    halved: str = "repetitions"
    ceiling: float = 0.8
    ceiling_p: float = 0.01
    own_noise: float = 0.0  # of each model's bootstrap draws, beyond what the stimuli share
    n_permutations: int = 99
    models: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def null(self) -> np.ndarray:
        """(layer, permutation) of every model, mapping and area."""
        size = (self.n_layers, self.n_permutations)
        return np.random.default_rng(1).normal(scale=0.05, size=size)

    def write_ceilings(self) -> list[str]:
        paths = []
        for area in self.areas:
            path = self.folder / "ceilings" / f"{area}.nc"
            one = np.full(4, self.ceiling)
            variables = {
                "neuroid_id": Variable(("neuroid",), np.array([f"{area}-{i}" for i in range(4)])),
                "ceiling": Variable(("neuroid",), one),
                "area_ceiling": Variable((), np.array(self.ceiling)),
                "area_ceiling_half": Variable((), np.array(self.ceiling - 0.1)),
                "rdm_ceiling": Variable((), np.array(self.ceiling - 0.2)),
                "rdm_ceiling_half": Variable((), np.array(self.ceiling - 0.3)),
                **{
                    f"{name}_ceiling_p": Variable((), np.array(self.ceiling_p))
                    for name in ("area", "rdm", "cka")
                },
                "cka_ceiling": Variable((), np.array(self.ceiling)),
                "cka_ceiling_half": Variable((), np.array(self.ceiling - 0.1)),
            }
            files.write(path, variables, {"n_recorded": 7})
            paths.append(str(path))
        return paths

    def labels(self, **labels: Any) -> dict[str, Any]:
        rows = [
            {"layer": f"layer{i}", "kind": "Conv2d", "shape": "8x4x4", "n_features": "128",
             "parameters": "10"}
            for i in range(self.n_layers)
        ]  # fmt: skip
        known = {"family": "a", "training": "trained", "architecture": "net"}
        known |= {"preprocessing": "crop=64", "preprocessing_source": "given"}
        return known | {"n_layers": self.n_layers, "n_parameters": 1000, "layers": rows} | labels

    def write_scores(
        self,
        model: str,
        layer_score: Mapping[tuple[str, str], np.ndarray],
        selection: Mapping[tuple[str, str], np.ndarray],
        blocks: int = 1,
    ) -> list[str]:
        """layer_score: (mapping, area) to (layer,); selection: to (layer, split, half)."""
        paths = []
        for mapping in self.mappings:
            for area in self.areas:
                for part in np.array_split(np.arange(self.n_layers), blocks):
                    block = f"{part[0]:02d}-{part[-1]:02d}"
                    path = self.folder / "scores" / mapping / model / block / f"{area}.nc"
                    score = layer_score[mapping, area][part]
                    half = selection[mapping, area][part]
                    about = {"model": model, "mapping": mapping, "area": area}
                    about |= {"halved": self.halved, "protocol": "", "null_method": "refitted"}
                    content = self._variables(part, score, half, area, mapping)
                    own = np.random.default_rng(list(model.encode()))
                    draws = content["area_bootstrap"].values
                    draws += own.normal(scale=self.own_noise, size=self.n_draws)
                    files.write(path, content, about | PROVENANCE)
                    paths.append(str(path))
        return paths

    def _variables(
        self, part: np.ndarray, score: np.ndarray, half: np.ndarray, area: str, mapping: str
    ) -> dict[str, Variable]:
        # The same seed for all models: their draws are paired, as those of a fit are.
        noise = np.random.default_rng(len(area)).normal(scale=0.03, size=self.n_draws)
        layers = np.arange(self.n_layers)[part]
        depth = layers / max(self.n_layers - 1, 1)
        variables = {
            "layer": Variable(("layer",), np.array([f"layer{i}" for i in layers])),
            "layer_index": Variable(("layer",), layers),
            "depth": Variable(("layer",), depth),
            "spread": Variable(("layer",), np.full(len(depth), 0.5)),
            "leading_share": Variable(("layer",), np.full(len(depth), 0.2)),
            "neuroid_id": Variable(("neuroid",), np.array([f"{area}-{i}" for i in range(4)])),
            "complete": Variable(("neuroid",), np.ones(4, np.int8)),
            "area_score": Variable(("layer",), score),
            "area_null": Variable(("layer", "permutation"), self.null[part]),
            "area_null_mean": Variable(("layer",), np.zeros(len(part))),
            "area_p_value": Variable(("layer",), np.full(len(part), 0.01)),
            "area_bootstrap": Variable(("layer", "draw"), score[:, None] + noise),
            "selection_score": Variable(("layer", "split", "half"), half),
            "n_without_pattern": Variable(("layer",), np.zeros(len(part), np.int32)),
            "at_edge": Variable(("layer", "edge"), np.full((len(part), 2), 0.25)),
        }
        if mapping == "ridge":
            spread = score[:, None] + np.array([-0.1, 0.1, 0.0, 0.0])
            for name in ("score", "null_mean", "p_value", "alpha"):
                variables[name] = Variable(("layer", "neuroid"), spread.astype(np.float32))
        return variables

    def write_accuracy(self, model: str, top1: float | None) -> str:
        path = self.folder / "accuracy" / f"{model}.csv"
        path.parent.mkdir(exist_ok=True)
        cells = ",," if top1 is None else f"{top1},{min(top1 + 10, 100)},measured"
        path.write_text(f"model,top1,top5,accuracy_source,n_images\n{model},{cells},100\n")
        return str(path)

    def add(self, model: str, top1: float | None, scores: Mapping, **labels: Any) -> str:
        """Make the tables of a model: scores are (mapping, area) to (layer,), without noise."""
        halves = {key: np.tile(value[:, None, None], (1, 2, 2)) for key, value in scores.items()}
        paths = self.write_scores(model, scores, halves)
        return self.tabulate(model, top1, paths, **labels)

    def tabulate(self, model: str, top1: float | None, paths: list[str], **labels: Any) -> str:
        """Write a model's layer and neuroid tables; returns the path of the first."""
        frame, neuroids = model_tables.model_tables(
            paths, self.write_ceilings(), self.write_accuracy(model, top1), model,
            self.labels(**labels),
        )  # fmt: skip
        layer_path = self.folder / f"{model}.layers.parquet"
        parquet.write_frame(frame, str(layer_path), PROVENANCE)
        parquet.write_parquet(neuroids, str(self.folder / f"{model}.neuroids.parquet"), PROVENANCE)
        return str(layer_path)

    def write_tables(self, layer_files: list[str], correction: str = "holm") -> dict[str, str]:
        """The study's CSV tables: name to path."""
        paths = {}
        for name, table in tables.study_tables(layer_files, 0, correction, self.areas).items():
            paths[name] = str(self.folder / f"{name}.csv")
            tables.write_csv(table, paths[name])
        return paths


def zoo(
    folder: Path,
    areas: tuple[str, ...],
    mappings: tuple[str, ...],
    n_models: int,
    n_layers: int = 8,
) -> Synthetic:
    """Models that climb from chance to expert, every third one untrained; one accuracy unknown."""
    study = Synthetic(folder, areas, mappings, n_layers=n_layers, own_noise=0.02, n_draws=200)
    random = np.random.default_rng(0)
    depth = np.linspace(0, 1, study.n_layers)
    for number in range(n_models):
        trained = number % 3 != 2
        skill = (0.3 + 0.7 * number / n_models) if trained else 0.05
        scores = {}
        for mapping in mappings:
            for place, area in enumerate(areas):
                peak = place / max(len(areas) - 1, 1)
                height = 0.3 + 0.35 * skill * peak + random.normal(scale=0.02)
                curve = height * np.exp(-((depth - peak) ** 2) / (0.3 + 0.2 * (not trained)))
                scores[mapping, area] = curve + random.normal(scale=0.01, size=len(depth))
        top1 = None if number == n_models - 1 else 100 * skill * 0.9 + random.normal(scale=2)
        name = f"net{number // 3}" + ("ab"[number % 3] if trained else "_untrained")
        study.models[name] = {
            "path": study.add(
                name, top1, scores,
                family=f"family{number // 3 % 9}", architecture=f"net{number // 3}",
                training="trained" if trained else "untrained",
            )
        }  # fmt: skip
    return study
