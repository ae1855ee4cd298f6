"""The table of what each layer gives to the score of all layers of its model together."""

from pathlib import Path

import numpy as np
from synthetic_scores import Synthetic

from cortiscope import files
from cortiscope.files import Variable
from cortiscope.report import tables


def test_layers_scored_together_have_a_row_each_with_their_weight(tmp_path: Path) -> None:
    study = Synthetic(tmp_path, ("V1", "IT"), mappings=("ridge", "stacked"), n_layers=3)
    layers = study.tabulate("net", 50.0, _scored_together(study, [0.5, 0.0, 0.25]))
    single = Synthetic(tmp_path / "single", ("V1",), n_layers=3)
    single.folder.mkdir()
    other = single.add("other", 50.0, _singly(single))
    made = tables.study_tables([other, layers], seed=0)
    weights = made["layer_weights"]
    assert list(weights.columns) == ["model", "mapping", "area", "layer", "depth", "weight"]
    assert set(weights["model"]) == {"net"}
    assert list(weights["mapping"]) == ["stacked"] * 6
    assert list(weights["area"]) == ["V1"] * 3 + ["IT"] * 3
    assert list(weights["layer"]) == ["layer0", "layer1", "layer2"] * 2
    np.testing.assert_allclose(weights["depth"], [0.0, 0.5, 1.0] * 2)
    np.testing.assert_allclose(weights["weight"], [0.5, 0.0, 0.25] * 2)
    assert not {"layer_weights", "members", "member_depths"} & set(made["layers"].columns)
    headline = made["accuracy_vs_brain"].set_index(["model", "mapping", "area"])
    assert headline.loc[("net", "stacked", "V1"), "best_layer"] == "all layers"
    assert headline.loc[("net", "stacked", "V1"), "n_features"] == 3 * 128


def test_layer_weights_of_a_study_without_such_scores_are_a_header(tmp_path: Path) -> None:
    study = Synthetic(tmp_path, ("V1",), n_layers=3)
    path = study.add("net", 50.0, _singly(study))
    written = study.write_tables([path])["layer_weights"]
    assert Path(written).read_text() == "model,mapping,area,layer,depth,weight\n"


def _scored_together(study: Synthetic, weights: list[float]) -> list[str]:
    """Score files in which the last mapping scores all layers of a model as one."""
    singly = _singly(study)
    halves = {key: np.tile(value[:, None, None], (1, 2, 2)) for key, value in singly.items()}
    paths = study.write_scores("net", singly, halves)
    for path in paths:
        content = files.read(path)
        if content.attributes["mapping"] != "stacked":
            continue
        single = {
            name: Variable(variable.dims, variable.values[:1])
            if variable.dims[0] == "layer"
            else variable
            for name, variable in content.variables.items()
        }
        members = {
            "layer": Variable(("layer",), np.array(["all layers"])),
            "member": Variable(("member",), content["layer"]),
            "member_depth": Variable(("member",), content["depth"]),
            "layer_weight": Variable(("member",), np.array(weights)),
            "best_single": Variable(("layer",), np.array([np.nan])),
        }
        files.write(path, single | members, content.attributes)
    return paths


def _singly(study: Synthetic) -> dict[tuple[str, str], np.ndarray]:
    return {(m, a): np.array([0.1, 0.4, 0.2]) for m in study.mappings for a in study.areas}
