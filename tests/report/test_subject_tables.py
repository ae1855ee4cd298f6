"""Scores of subjects, from score files to tables and the figure; what stands beside the mean r."""

from pathlib import Path

import netCDF4
import numpy as np
import pytest
from scipy import stats
from synthetic_tables import model_names, study_tables

from cortiscope.files import Group, Variable
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.report import drawing, tables
from cortiscope.report.figure_style import styled
from cortiscope.report.pages import Page
from cortiscope.report.subjects import beside_the_mean, mean_over_neuroids, subject_columns
from tests.synthetic_scores import Synthetic

OF_SUBJECTS = np.array([0.1, -0.1, np.nan])  # beside the mean; the third is not scored


class BySubject(Synthetic):
    """Of three subjects, two neuroids of the first and one of each other."""

    def _variables(self, *args):
        variables = super()._variables(*args)
        score = variables["area_score"].values
        subjects = score[:, None] + OF_SUBJECTS
        known = np.broadcast_to(np.isfinite(OF_SUBJECTS), subjects.shape)
        dims = ("layer", "subject")
        return variables | {
            "subject": Variable(("subject",), np.array(["a", "b", "c"])),
            "subject_number": Variable(("neuroid",), np.array([0, 0, 1, 2], np.int32)),
            "subject_score": Variable(dims, subjects),
            "subject_null_mean": Variable(dims, np.where(known, 0.01, np.nan)),
            "subject_p_value": Variable(dims, np.where(known, 0.02, np.nan)),
            "subject_n_stimuli": Variable(dims, np.where(known, 40.0, 0.0)),
            "subject_n_scored": Variable(dims, np.where(known, [2.0, 1.0, 1.0], 0.0)),
            "shared_variance": Variable(("layer",), np.zeros(len(score))),
            "own_variance": Variable(("layer",), np.zeros(len(score))),
        }

    def write_ceilings(self) -> list[str]:
        paths = super().write_ceilings()
        for path in paths:
            with netCDF4.Dataset(path, "a") as dataset:
                made = dataset.createVariable("reliability", float, ("neuroid",))
                made[...] = [0.64, 0.16, 0.25, -0.1]
                dataset.createDimension("part", 3)
                dataset.createVariable("part", str, ("part",))[...] = np.array(["a", "b", "c"])
                for kind in ("area", "rdm"):
                    for end, values in (("", [0.8, 0.5, np.nan]), ("_p", [0.01, 0.2, np.nan])):
                        name = f"subject_{kind}_ceiling{end}"
                        dataset.createVariable(name, float, ("part",))[...] = values
        return paths


def made(study: Synthetic) -> dict:
    scores = {(m, a): np.array([0.4, 0.1]) for m in study.mappings for a in study.areas}
    study.n_layers = 2
    return tables.study_tables([study.add("net", 50.0, scores)], seed=0)


def test_a_row_for_every_subject_of_the_best_layer(tmp_path: Path) -> None:
    found = made(BySubject(tmp_path, ("IT",)))
    rows = found["subjects"].set_index(["mapping", "subject"])
    assert rows.index.tolist() == [(m, s) for m in ("ridge", "rsa") for s in "abc"]
    assert (rows["layer"] == "layer0").all()
    assert rows.loc["rsa", "score"].tolist()[:2] == pytest.approx([0.5, 0.3])
    assert rows.loc["rsa"].loc["c", ["score", "null_mean", "p_value"]].isna().all()
    assert rows.loc["rsa", "n_neuroids"].tolist() == [2, 1, 0]
    assert rows.loc["rsa", "n_stimuli"].tolist() == [40, 40, 0]
    # Of a subject whose recordings do not repeat above chance there is no ceiling.
    for mapping in ("ridge", "rsa"):
        assert rows.loc[mapping, "ceiling"].fillna(0).tolist() == [0.8, 0, 0]
        share = rows.loc[mapping].loc["a", "score_of_ceiling"]
        assert share == pytest.approx(rows.loc[mapping].loc["a", "score"] / 0.8)


def test_layers_say_over_whom_they_generalise(tmp_path: Path) -> None:
    found = made(BySubject(tmp_path, ("IT",)))
    exact = stats.ttest_1samp([0.5, 0.3], 0, alternative="greater").pvalue
    for name in ("layers", "accuracy_vs_brain"):
        rows = found[name].drop_duplicates("mapping").set_index("mapping")
        assert (rows["n_subjects"] == 2).all()
        assert rows["subjects_p"].tolist() == pytest.approx([exact] * 2, rel=1e-5)
        # Over subjects, also where neuroids have no score.
        half = stats.t.ppf(0.975, 1) * np.std([0.5, 0.3], ddof=1) / np.sqrt(2)
        assert (rows["neuroid_high"] - rows["neuroid_low"]).tolist() == pytest.approx(
            [2 * half] * 2, rel=0.3
        )
    layers = found["layers"].set_index(["mapping", "layer"])
    assert layers.loc[("rsa", "layer0"), "n_scored"] == 3  # without the neuroid of the third


def test_median_and_noise_corrected_r2(tmp_path: Path) -> None:
    found = made(BySubject(tmp_path, ("IT",)))["layers"].set_index(["mapping", "layer"])
    row = found.loc[("ridge", "layer0")]
    # Neuroids of 0.3, 0.5 | 0.4 | 0.4: means over subjects of their medians.
    assert row["score_median"] == pytest.approx((0.4 + 0.4 + 0.4) / 3)
    corrected = np.mean([np.median([0.09 / 0.64, 0.25 / 0.16]), 0.16 / 0.25])
    assert row["noise_corrected_r2"] == pytest.approx(corrected)
    assert row["score_above_null"] == pytest.approx(row["score"] - row["null_mean"])
    assert found.loc["rsa", ["score_median", "noise_corrected_r2"]].isna().all(axis=None)
    plain = made(Synthetic(tmp_path, ("V1",)))["layers"].set_index(["mapping", "layer"])
    assert plain.loc[("ridge", "layer1"), "score_median"] == pytest.approx(0.1)
    assert np.isnan(plain.loc[("ridge", "layer1"), "noise_corrected_r2"])  # not known


def test_the_sign_of_r_is_kept() -> None:
    content = Group({"layer": Variable(("layer",), np.array(["a"]))}, {})
    content.variables["score"] = Variable(("layer", "neuroid"), np.array([[-0.2, -0.1, 0.3]]))
    reliability = Variable(("neuroid",), np.array([0.5, 0.5, 0.0]))
    found = beside_the_mean(content, Group({"reliability": reliability}, {}))
    assert found["noise_corrected_r2"] == pytest.approx(np.median([-0.08, -0.02]))


def test_a_study_without_subjects_has_a_table_without_rows(tmp_path: Path) -> None:
    found = made(Synthetic(tmp_path, ("IT",)))
    assert found["subjects"].empty
    assert found["layers"]["subjects_p"].isna().all()


@pytest.mark.parametrize("n_subjects", [0, 4])
def test_subjects_are_dots_of_the_figure(n_subjects: int) -> None:
    known = study_tables(model_names(2), ["V1"], n_subjects=n_subjects)
    with styled(8):
        figure, shown = drawing.draw(Page("accuracy_vs_score", ["ridge"], ["V1"]), known)
    lines = [line for line in figure.axes[0].lines if line.get_marker() == "."]
    assert sum(len(line.get_xdata()) for line in lines) == n_subjects * 4
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert ("each subject" in said) == ("subject_scores" in shown) == (n_subjects > 0)


def of_two() -> Group:
    """A score file of one layer, three neuroids of the first subject and one of the second."""
    names, values = ("layer", "subject"), np.array([[0.4, 0.2]])
    variables = {
        "layer": Variable(("layer",), np.array(["a"])),
        "area_score": Variable(("layer",), np.array([0.3])),
        "subject": Variable(("subject",), np.array(["s0", "s1"])),
        "subject_number": Variable(("neuroid",), np.array([0, 0, 0, 1])),
    }
    lists = ("score", "null_mean", "p_value", "n_stimuli", "n_scored")
    variables |= {f"subject_{name}": Variable(names, values) for name in lists}
    variables |= {
        name: Variable(("layer",), np.zeros(1)) for name in ("shared_variance", "own_variance")
    }
    return Group(variables, {"protocol": "brainscore"})


def test_scores_that_are_medians_have_ceilings_that_are_so_in_every_subject() -> None:
    ceilings = {"part": Variable(("part",), np.array(["s1", "s0"]))}
    for kind, values in (("area", [0.9, 0.9]), ("median", [0.5, 0.7])):
        ceilings[f"subject_{kind}_ceiling"] = Variable(("part",), np.array(values))
        ceilings[f"subject_{kind}_ceiling_p"] = Variable(("part",), np.full(2, 0.01))
    found = subject_columns(of_two(), MAPPINGS["pls"], Group(ceilings, {}))
    np.testing.assert_allclose(found["subject_ceilings"][0], [0.7, 0.5])


def test_shares_count_every_subject_alike_as_the_score_does() -> None:
    shares = np.array([[0.4, 0.4, 0.4, 0.1]])
    np.testing.assert_allclose(mean_over_neuroids(shares, of_two()), 0.25)
    plain = Group({}, {})
    np.testing.assert_allclose(mean_over_neuroids(shares, plain), shares.mean())
