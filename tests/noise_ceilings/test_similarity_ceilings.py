"""Ceilings of similarity mappings: a perfect model scores them, by every comparison."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cortiscope.noise_ceilings import ceilings, similarity_ceilings
from cortiscope.similarity import cka, comparison
from cortiscope.similarity.dissimilarity import crossnobis, pattern_rdm
from tests.synthetic_areas import area

OPTIONS = [
    ("pearson", "spearman"),
    ("pearson", "pearson"),
    ("pearson", "kendall"),
    ("euclidean", "pearson"),
    ("crossnobis", "pearson"),
    ("crossnobis", "cosine"),
    ("crossnobis", "kendall"),
]


def recording(repetitions: int) -> tuple[NDArray, NDArray]:
    """The signal of 40 stimuli (stimulus, neuroid), and noisy repetitions of it."""
    random = np.random.default_rng(0)
    signal = random.normal(size=(40, 6)) @ random.normal(size=(6, 80))
    noise = 6.0 * random.normal(size=(40, repetitions, 80))
    return signal, signal[:, None] + noise


@pytest.mark.parametrize(("dissimilarity", "method"), OPTIONS)
def test_the_signal_scores_the_ceiling(dissimilarity: str, method: str) -> None:
    signal, response = recording(12)
    ceiling = similarity_ceilings.rdm_split_half_ceiling(response, 30, 0, dissimilarity, method)
    if dissimilarity == "crossnobis":
        truth, brain = pattern_rdm(signal, "squared_euclidean"), crossnobis(response)
    else:
        truth = pattern_rdm(signal, dissimilarity)
        brain = pattern_rdm(response.mean(axis=1), dissimilarity)
    score = comparison.compare(truth, brain, method)
    assert score == pytest.approx(float(ceiling.ceiling), abs=0.04)
    assert 0.4 < ceiling.ceiling_half < ceiling.ceiling < 1


def test_the_signal_scores_the_ceiling_of_cka() -> None:
    signal, response = recording(8)
    ceiling = similarity_ceilings.cka_split_half_ceiling(response, 30, 0)
    score = cka.cka(cka.gram(signal), cka.gram(response.mean(axis=1)))
    assert score == pytest.approx(float(ceiling.ceiling), abs=0.03)
    assert 0.4 < ceiling.ceiling_half < ceiling.ceiling < 0.98


def test_the_mean_of_subjects_has_a_ceiling_of_cka() -> None:
    random = np.random.default_rng(0)
    signal, _ = recording(1)
    truth = pattern_rdm(signal, "squared_euclidean")
    subjects = truth + 1.0 * truth.std() * random.normal(size=(4, len(truth)))
    ceiling = similarity_ceilings.subject_cka_ceiling(subjects, 30, 0)
    score = cka.cka(cka.distance_gram(truth), cka.distance_gram(subjects.mean(axis=0)))
    assert score == pytest.approx(float(ceiling.ceiling), abs=0.03)
    assert ceiling.ceiling < 0.98


def test_options_reach_the_ceilings_of_an_area() -> None:
    _, response = recording(8)
    plain, _ = ceilings.area_ceilings(area(response), 5, 0)
    other, _ = ceilings.area_ceilings(area(response), 5, 0, "crossnobis", "kendall")
    for name in set(plain) - {"neuroid_id", "rdm_ceiling_p"}:
        same = np.array_equal(plain[name].values, other[name].values, equal_nan=True)
        assert same != name.startswith("rdm_ceiling")
    too_few, _ = ceilings.area_ceilings(area(response[:, :2]), 5, 0, "crossnobis", "pearson")
    assert np.isnan(too_few["rdm_ceiling"].values)
    single, _ = ceilings.area_ceilings(area(response[:, :1]), 5, 0)
    assert np.isnan([single["rdm_ceiling"].values, single["cka_ceiling"].values]).all()
