"""Ceilings where neuroids are of several subjects: the mean of their own, bounds between them."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform
from scipy.stats import combine_pvalues

from cortiscope.experiment.responses import Area
from cortiscope.noise_ceilings.ceilings import area_ceilings
from cortiscope.noise_ceilings.oracle import rdm_bounds
from cortiscope.noise_ceilings.subjects import Stated, mean_over_subjects
from cortiscope.similarity import cka
from cortiscope.similarity.dissimilarity import crossnobis, pattern_rdm
from tests.synthetic_areas import area

SUMMARIES = [
    f"{name}_ceiling{suffix}"
    for name in ("area", "median", "rdm", "cka")
    for suffix in ("", "_half")
]


def recording(
    n_subjects: int = 3, shared: float = 1.0, own: float = 0.0, noise: float = 1.5, seed: int = 0
) -> list[NDArray]:
    """Of each subject (stimulus, repetition, neuroid): what all share, its own, and noise."""
    random = np.random.default_rng(seed)
    common = random.normal(size=(30, 8))
    found = []
    for subject in range(n_subjects):
        n_neuroids = 20 + 10 * subject
        signal = shared * common @ random.normal(size=(8, n_neuroids)) / np.sqrt(8)
        private = random.normal(size=(30, 8)) @ random.normal(size=(8, n_neuroids)) / np.sqrt(8)
        trials = random.normal(size=(30, 4, n_neuroids))
        found.append((signal + own * private)[:, None] + noise * trials)
    return found


def together(responses: list[NDArray]) -> Area:
    subject = np.concatenate([[f"s{k}"] * r.shape[2] for k, r in enumerate(responses)])
    return replace(area(np.concatenate(responses, axis=2)), metadata={"subject": subject})


def numbers(brain: Area, **options: str) -> dict[str, float]:
    variables, _ = area_ceilings(brain, 6, 0, **options)
    return {name: float(v.values) for name, v in variables.items() if not v.dims}


@pytest.mark.parametrize("dissimilarity", ["pearson", "crossnobis"])
def test_ceilings_are_the_means_of_the_subjects_own(dissimilarity: str) -> None:
    responses = recording()
    found = numbers(together(responses), dissimilarity=dissimilarity)
    alone = [numbers(area(each), dissimilarity=dissimilarity) for each in responses]
    for name in SUMMARIES:
        assert found[name] == pytest.approx(np.mean([one[name] for one in alone])), name
    variables, _ = area_ceilings(together(responses), 6, 0, dissimilarity)
    assert variables["part"].values.tolist() == ["s0", "s1", "s2"]
    for name in SUMMARIES[::2]:
        own = [one[name] for one in alone]
        np.testing.assert_allclose(variables[f"subject_{name}"].values, own)
    pooled = numbers(together(responses), dissimilarity=dissimilarity, subjects="pooled")
    whole = numbers(area(np.concatenate(responses, axis=2)), dissimilarity=dissimilarity)
    for name in SUMMARIES:
        assert pooled[name] == whole[name] != found[name]
    assert np.isnan(pooled["rdm_bound_low"])


def test_subjects_are_judged_on_the_stimuli_that_they_saw() -> None:
    responses = recording()
    responses[0][20:], responses[1][:8] = np.nan, np.nan
    found = numbers(together(responses))
    alone = [area(r[s]) for r, s in zip(responses, (np.s_[:20], np.s_[8:], np.s_[:]), strict=True)]
    for name in SUMMARIES:
        assert found[name] == pytest.approx(np.mean([numbers(one)[name] for one in alone])), name
    # Bounds are of the stimuli that all saw.
    cells = np.stack([pattern_rdm(r[8:20].mean(axis=1), "pearson") for r in responses])
    bounds = rdm_bounds(cells)
    assert found["rdm_bound_low"] == pytest.approx(bounds.lower)
    assert found["rdm_bound_high"] == pytest.approx(bounds.upper)
    responses[1][:16] = np.nan  # four in common
    assert np.isnan(numbers(together(responses))["rdm_bound_low"])


@pytest.mark.parametrize("comparison", ["spearman", "pearson", "kendall", "cosine"])
def test_bounds_are_those_of_the_formula(comparison: str) -> None:
    """Each subject with the mean of the others, and of all (Nili et al. 2014)."""
    responses = recording()
    found = numbers(together(responses), dissimilarity="crossnobis", comparison=comparison)
    bounds = rdm_bounds(np.stack([crossnobis(each) for each in responses]), comparison)
    assert found["rdm_bound_low"] == pytest.approx(bounds.lower)
    assert found["rdm_bound_high"] == pytest.approx(bounds.upper)
    grams = [cka.prepared(cka.gram(each.mean(axis=1))) for each in responses]
    low = [
        cka.cka(own, np.sum([g for g in grams if g is not own], axis=0), debiased=False)
        for own in grams
    ]
    high = [cka.cka(own, np.sum(grams, axis=0), debiased=False) for own in grams]
    # Sums of centred matrices are centred: to centre them again changes nothing.
    assert found["cka_bound_low"] == pytest.approx(np.mean(low))
    assert found["cka_bound_high"] == pytest.approx(np.mean(high))


def test_what_subjects_share_lies_between_the_bounds() -> None:
    random = np.random.default_rng(0)
    common = random.normal(size=(60, 6))
    responses = [
        (common @ random.normal(size=(6, 200)))[:, None] + 6 * random.normal(size=(60, 4, 200))
        for _ in range(4)
    ]
    found = numbers(together(responses), comparison="pearson")
    truth = pattern_rdm(common @ random.normal(size=(6, 4000)), "pearson")
    cells = [pattern_rdm(each.mean(axis=1), "pearson") for each in responses]
    score = np.mean([np.corrcoef(truth, one)[0, 1] for one in cells])
    assert found["rdm_bound_low"] - 0.01 < score < found["rdm_bound_high"]
    # All that is in a subject's RDM is shared, so that both kinds of ceiling agree.
    assert found["rdm_bound_low"] < found["rdm_ceiling"] < found["rdm_bound_high"] + 0.03


def test_areas_known_by_dissimilarities_have_bounds() -> None:
    random = np.random.default_rng(0)
    rdms = np.stack([1 - np.corrcoef(random.normal(size=(40, 30))) for _ in range(3)])
    brain = replace(area(random.normal(size=(40, 1, 40))), dissimilarity=rdms, n_subjects=3)
    found = numbers(brain)
    bounds = rdm_bounds(rdms[:, *np.triu_indices(40, 1)])
    assert found["rdm_bound_low"] == bounds.lower
    assert found["rdm_bound_high"] == bounds.upper
    # Unrelated: each is in the mean of all, and has nothing of that of the others.
    assert abs(bounds.lower) < 0.1
    assert found["rdm_bound_high"] == pytest.approx(1 / np.sqrt(3), abs=0.05)
    assert found["cka_bound_high"] == pytest.approx(1 / np.sqrt(3), abs=0.05)


def test_three_unrelated_subjects_rarely_have_a_ceiling() -> None:
    """Of which p is what tells: by chance, and by its growth from one subject to three, it is up to
    0.38 and more.
    """
    p = []
    for seed in range(30):
        random = np.random.default_rng(seed)
        rdms = np.stack([1 - np.corrcoef(random.normal(size=(40, 30))) for _ in range(3)])
        brain = replace(area(random.normal(size=(40, 1, 40))), dissimilarity=rdms, n_subjects=3)
        found = numbers(brain)
        p.append([found["rdm_ceiling_p"], found["cka_ceiling_p"]])
    assert (np.mean(np.array(p) <= 0.05, axis=0) <= 0.1).all()


def test_p_values_of_subjects_become_one_by_fisher() -> None:
    p = [0.03, 0.4, 0.2]
    found = mean_over_subjects([Stated(0.5, 0.4, each) for each in p])
    assert found.p == pytest.approx(combine_pvalues(p, method="fisher")[1])
    unknown = [Stated(0.5, 0.4, 0.03), Stated(np.nan, np.nan, np.nan), Stated(0.0, 0.0, 0.7)]
    found = mean_over_subjects(unknown)
    assert found[:2] == (0.25, 0.2)
    assert found.p == pytest.approx(combine_pvalues([0.03, 0.7], method="fisher")[1])
    assert np.isnan(mean_over_subjects([unknown[1], unknown[1]])).all()


def test_subjects_of_noise_are_rarely_above_chance() -> None:
    p = []
    for seed in range(40):
        found = numbers(together(recording(shared=0.0, seed=seed)))
        p.append([found[f"{name}_ceiling_p"] for name in ("area", "rdm", "cka")])
    assert (np.mean(np.array(p) <= 0.05, axis=0) <= 0.1).all()


def test_a_subject_that_stands_twice_is_one() -> None:
    """Its dissimilarities agree with their copy whatever they are."""
    random = np.random.default_rng(5)
    points = random.normal(size=(4, 24, 12))
    rdms = np.stack([squareform(pdist(each, "correlation")) for each in points])

    def known_by(*subjects: int) -> Area:
        return replace(area(random.normal(size=(24, 1, 5))), dissimilarity=rdms[list(subjects)])

    three, copied = (numbers(known_by(*of)) for of in ((0, 1, 2), (0, 1, 2, 1)))
    for name in three:
        assert copied[name] == pytest.approx(three[name], nan_ok=True), name
    two = numbers(known_by(3, 3))
    assert np.isnan([two["rdm_ceiling"], two["cka_ceiling"], two["rdm_bound_high"]]).all()
