"""A study: its config, its models and their layers, its areas; the fan-out known before a job runs.

Nothing here imports torch: see `listed_layers`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import compress
from pathlib import Path
from typing import Any

from cortiscope.errors import InputError
from cortiscope.experiment import sizes
from cortiscope.experiment.formats import FILES, SIMULATED, find, opened
from cortiscope.experiment.stimulus_ids import read_ids, without
from cortiscope.experiment.tables import file_beside
from cortiscope.files import along, composed, labels
from cortiscope.networks import own_code
from cortiscope.networks.rows import family
from cortiscope.networks.sources.kinds import kind_of
from cortiscope.networks.weight_names import is_named
from cortiscope.planning import listed_layers
from cortiscope.planning.models import BUILD_COLUMNS, OPTIONAL_COLUMNS, read_models
from cortiscope.planning.schema import check, read_config_schema

PATHS = ("data_root", "source", "table", "given", *FILES)  # entries of a config
LAYER_LABELS = ("layer", "kind", "shape", "n_features", "parameters")


@dataclass(frozen=True, eq=False)  # hashable: what is asked of one again and again is cached
class Study:
    """One config, checked. `config` has every default filled in."""

    config: Mapping[str, Any]
    repository: Path
    models: Mapping[str, dict[str, str]]
    config_folders: tuple[Path, ...] = ()

    @classmethod
    def load(
        cls, config: dict[str, Any], repository: str | Path, config_files: Sequence[Path] = ()
    ) -> "Study":
        """Check a config and its models table.

        config_files: what the config was read from; of two values, that of the later file counts.
        Errors: InputError, one line naming the file, the field and the remedy.
        """
        repository = Path(repository)
        schemas = repository / "workflow" / "schemas"
        checked = check(config, read_config_schema(schemas / "config.schema.yaml"), "config")
        if checked["ridge"]["protocol"] == "conwell2021" and (
            checked["features"]["projection"] != "srp"
        ):
            raise InputError(
                "config: ridge.protocol",
                "conwell2021 needs sparse random projections",
                "set features.projection: srp",
            )
        if checked["accuracy"]["images"] == "auto":
            simulated = checked["stimuli"]["source"] == SIMULATED
            checked["accuracy"]["images"] = "shapes" if simulated else "published"
        checked = _composed(checked)
        folders = tuple(file.parent for file in reversed(config_files))
        study = cls(checked, repository, {}, folders)
        for section in ("stimuli", "responses"):
            checked[section] |= study.tables(section)
        table = Path(study.locate(checked["models"]["table"], "config: models.table"))
        rows = read_models(table, checked["models"]["names"], schemas / "models.schema.yaml")
        return cls(checked, repository, rows, folders)

    @property
    def name(self) -> str:
        return str(self.config["study"])

    def locate(self, path: str, field: str) -> str:
        """Find a file or folder: under data_root, in the working directory, beside the config."""
        roots = (
            Path(self.config["data_root"]),
            Path(),
            *self.config_folders,
            self.repository,
        )
        for root in roots:
            if (root / path).exists():
                return str(root / path)
        looked = dict.fromkeys(str(root.resolve()) for root in roots[:-1])
        raise InputError(
            field,
            f"no file or folder {path!r} under {' or '.join(looked)}",
            "check the path, or set data_root",
        )

    def section(self, *names: str) -> dict[str, Any]:
        """Parts of the config in one form, so that writing the same another way reruns nothing.

        Without what tables alone read: how p-values are corrected, and ceilings and layers that are
        given; and without how nulls are made, which some mappings read. Of halves, only where
        layers are chosen by them.
        """
        found = {name: _ordered(self.config[name]) for name in sorted(names)}
        selection = found.get("selection", {"method": ""})
        selection.pop("given", None)
        if selection["method"] in ("nested", "given"):
            found["selection"] = {"method": "nested"}
        for name in ("correction", "null_method"):
            found.get("statistics", {}).pop(name, None)
        found.get("ceilings", {}).pop("given", None)
        return found

    # What was shown, and what answered

    def source(self, section: str) -> list[str]:
        """The file or folder that stimuli or responses come from; none where simulated.

        Then the tables and images beside it that its format reads.
        """
        settings = self.config[section]
        if settings["source"] == SIMULATED:
            return []
        beside = [settings[entry] for entry in FILES if settings.get(entry)]
        return [self.locate(settings["source"], f"config: {section}.source"), *beside]

    def tables(self, section: str) -> dict[str, str]:
        """The files beside the source of stimuli or responses: where those that it names lie.

        A table that is not named is the one that is called as the source is, where there is one.
        """
        settings, found = self.config[section], {}
        if settings["source"] == SIMULATED:
            return {}
        try:
            source = self.locate(settings["source"], f"config: {section}.source")
            reads = find(section, [source]).READS[section]
        except InputError:  # which whoever asks for the source is told
            return {}
        for entry in sorted(set(FILES) & set(reads)):
            if settings[entry]:
                found[entry] = self.locate(settings[entry], f"config: {section}.{entry}")
            elif beside := file_beside(source, entry):
                found[entry] = beside
        return found

    def ids(self, section: str) -> list[str]:
        """The ids of all stimuli of `stimuli` or `responses`, in their order."""
        return _ids(self, section)

    @cached_property
    def neuroids(self) -> dict[str, int]:
        """Area to its number of neuroids, for all areas that were recorded."""
        return sizes.count_neuroids(self.config["responses"], self.source("responses"))

    @cached_property
    def parts(self) -> dict[str, int]:
        """Area to the number of subjects that are scored each by itself, as `neuroids`."""
        if self.config["statistics"].get("subjects") == "pooled":
            return dict.fromkeys(self.neuroids, 1)
        return sizes.count_subjects(self.config["responses"], self.source("responses"))

    @cached_property
    def areas(self) -> list[str]:
        """The areas that are fitted, in the order of the recording."""
        known, areas = list(self.neuroids), self.config["responses"]["areas"]
        if areas == "all":
            return known
        for area in areas:
            if area not in known:
                raise InputError(
                    "config: responses.areas", f"no area {area!r}", f"use some of {known}"
                )
        return [area for area in known if area in areas]

    @cached_property
    def repetitions(self) -> int:
        return sizes.count_repetitions(self.config["responses"], self.source("responses"))

    @cached_property
    def left_out(self) -> dict[str, list[str]]:
        """Of `stimuli` and `responses`, the ids that the other has not, where these are to go."""
        both = self.source("stimuli") and self.source("responses")
        if self.config["stimuli"]["keep"] == "all" or not both:
            return {"stimuli": [], "responses": []}
        shown, recorded = self.ids("stimuli"), self.ids("responses")
        return {"stimuli": without(shown, recorded), "responses": without(recorded, shown)}

    @cached_property
    def n_stimuli(self) -> int:
        every = sizes.count_stimuli(self.config["stimuli"], self.source("stimuli"))
        return every - len(self.left_out["stimuli"])

    @cached_property
    def image_bytes(self) -> int:
        return sizes.image_bytes(self.config["stimuli"], self.source("stimuli"))

    # The networks

    def build_row(self, model: str) -> dict[str, str]:
        """What a model is built from: its row without the labels, a file of the user's found."""
        said = self.models[model]
        row = {column: said[column] for column in BUILD_COLUMNS}
        row |= {column: said[column] for column in OPTIONAL_COLUMNS if said[column]}
        pooling = said["pooling"] or self.config["features"]["pooling"]
        if kind_of(said).network and pooling != "none":
            row["pooling"] = pooling
        for file in self.architecture_file(model)[:1]:
            if not own_code.module_of(row["architecture"]):
                function = row["architecture"].partition(":")[2] if kind_of(row).own_code else ""
                row["architecture"] = f"{file}:{function}" if function else file
        return row

    def architecture_file(self, model: str) -> list[str]:
        """The user's python file that defines the network, where it is code of the user's.

        That of a package, where it is installed. Then those that it imports from its folder. Or the
        file of features, where there is no network.
        """
        row, kind = self.models[model], kind_of(self.models[model])
        if not (kind.own_code or kind.data):
            return []
        file = own_code.file_of(row["architecture"]) if kind.own_code else row["architecture"]
        found = self.locate(file, f"models table: {model}: architecture")
        return list(own_code.with_imports(found)) if kind.own_code else [found]

    def shown_row(self, model: str) -> dict[str, str]:
        """The same for jobs, with the preprocessing itself in words where the row says `auto`."""
        about = self.layer_tables[model][0]
        return self.build_row(model) | {"preprocessing": about["model_preprocessing"]}

    def network_row(self, model: str) -> dict[str, str]:
        """The same without the choice of layers, which does not change how a network answers.

        With whether it has a classifier, which changes nothing else.
        """
        unread = ("layers", "pooling")
        row = {key: value for key, value in self.shown_row(model).items() if key not in unread}
        return row | {"classifier": self.models[model]["classifier"]}

    def weights_file(self, model: str) -> list[str]:
        """The weights a model is built with: a file of the user's, or one the workflow fetches."""
        row = self.models[model]
        weights = row["weights"]
        if weights == "none":
            return []
        if not is_named(weights):
            return [self.locate(weights, f"models table: {model}: weights")]
        return [f"resources/weights/{row['source']}/{row['architecture']}.{weights}.pth"]

    def checksum(self, source: str, architecture: str, name: str) -> str:
        """The sha256 that the models table asks of published weights; empty where it asks none."""
        sums = {
            row["checksum"]
            for row in self.models.values()
            if (row["source"], row["architecture"], row["weights"]) == (source, architecture, name)
        }
        return max(sums, default="")

    @cached_property
    def layer_tables(self) -> dict[str, list[dict[str, str]]]:
        """Model to the table of its layers, in execution order."""
        rows = {model: self.build_row(model) for model in self.models}
        networks = {model: row for model, row in rows.items() if kind_of(row).network}
        tables = listed_layers.read(networks, self.repository)
        return {
            model: tables.get(model) or listed_layers.given(row, self)
            for model, row in rows.items()
        }

    def image_size(self) -> tuple[int, int]:
        """y and x of the first image, in pixels."""
        return sizes.image_size(self.config["stimuli"], self.source("stimuli"))

    def n_values(self, coordinate: str) -> int:
        """How many values a coordinate of the stimuli takes among those that are kept."""
        return len(set(self.coordinate(coordinate)))

    def coordinate(self, name: str) -> list[str]:
        """The values, as text, of a coordinate of the stimuli that are kept."""
        every = self.ids("stimuli") if self.left_out["stimuli"] else []
        with opened("stimuli", self.config["stimuli"], self.source("stimuli")) as (held, _):
            known = along(held, "stimulus")
            if name not in known:
                raise InputError(
                    "models table: architecture",
                    f"the stimuli have no coordinate {name!r}",
                    f"use one of {', '.join(sorted(known))}",
                )
            values = labels(held, name)
        left_out = set(self.left_out["stimuli"])
        kept = [i not in left_out for i in every] or [True] * len(values)
        return list(compress(values, kept))

    def layer_table(self, model: str) -> list[dict[str, str]]:
        return self.layer_tables[model]

    def layers(self, model: str) -> list[str]:
        return [row["layer"] for row in self.layer_tables[model]]

    def labels(self, model: str) -> dict[str, Any]:
        """What the tables say of a model and its layers."""
        row, table = self.models[model], self.layer_tables[model]
        return {
            "architecture": row["architecture"],
            "family": family(row),
            "layers": [{key: layer[key] for key in LAYER_LABELS} for layer in table],
            "n_layers": len(table),
            "n_parameters": int(table[0]["model_parameters"]),
            "preprocessing": table[0]["model_preprocessing"],
            "preprocessing_source": table[0]["model_preprocessing_source"],
            "training": row["training"],
        }

    @cached_property
    def labels_by_model(self) -> dict[str, dict[str, Any]]:
        return {model: self.labels(model) for model in self.models}

    def families(self) -> dict[str, dict[str, str]]:
        """What tells models apart, in the order of the models table, which is that of the rows."""
        columns = ("family", "architecture", "training")
        return {
            model: {key: labels[key] for key in columns}
            for model, labels in self.labels_by_model.items()
        }

    # What rules ask of the config

    def validation_images(self) -> list[str]:
        """The file of labelled images, where accuracy is measured on the simulated stream."""
        simulated = self.config["accuracy"]["images"] == "shapes"
        return [f"resources/{self.name}/validation.nc"] if simulated else []

    def validation_folder(self) -> str:
        """The folder of labelled images to measure accuracy on; empty where there is none."""
        images = self.config["accuracy"]["images"]
        return "" if images in ("shapes", "published") else self.locate(images, "accuracy.images")

    def fitted(self, area: str) -> list[str]:
        """The areas that count for the size of a job.

        All that were recorded, so that the blocks of layers, and with them the score files, stay
        the same when an area is left out or added.
        """
        return [area] if area else list(self.neuroids)


@cache  # since checks ask again and again, and a folder may hold a hundred thousand images
def _ids(study: Study, section: str) -> list[str]:
    return read_ids(section, study.config[section], study.source(section))


def _composed(value: Any, key: str = "") -> Any:
    """The names in a config in the form in which those in files are read, but for paths."""
    if isinstance(value, Mapping):
        return {name: _composed(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_composed(item) for item in value]
    return composed(value) if isinstance(value, str) and key not in PATHS else value


def _ordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _ordered(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    # 10.0 is 10: numbers that are equal rerun nothing.
    return int(value) if isinstance(value, float) and value.is_integer() else value
