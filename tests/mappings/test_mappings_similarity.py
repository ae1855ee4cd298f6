"""The similarity mappings by name: planted layers are found, noise scores 0, options are obeyed."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform
from scipy.stats import kendalltau, kstest, pearsonr, rankdata, spearmanr

from cortiscope.errors import InputError
from cortiscope.experiment.rdms import mixtures
from cortiscope.mappings.fitting import fit, fit_areas
from cortiscope.mappings.kinds import MAPPINGS, TOGETHER
from cortiscope.mappings.rsa_reweighted import Scorer
from cortiscope.networks.features import Layer
from cortiscope.regression.cross_validation import MOST_PAIRED_FOLDS, number_of_paired_folds
from cortiscope.similarity import comparison, held_out_cells, rsa_remixed
from cortiscope.statistics.resampling import permutations
from tests.mappings.test_fitting import SETTINGS
from tests.regression_scene import HALVES, NO_HALVES
from tests.synthetic_areas import area, layer

# All that compare stimuli, but for what low-level models leave (see test_variance_partition).
COMPARE = [name for name, kind in MAPPINGS.items() if not kind.of_neuroids and not kind.squared]
BY_LAYER = [name for name in COMPARE if not MAPPINGS[name].joint]
LEARN = [name for name in COMPARE if MAPPINGS[name].paired_folds]
DIRECT = [name for name in COMPARE if not MAPPINGS[name].paired_folds]
BY_RSA = [name for name in COMPARE if "rsa" in MAPPINGS[name].sections]
N_STIMULI, N_LAYERS, PLANTED = 48, 4, 2
CATEGORY = np.repeat(np.array(list("abcd")), N_STIMULI // 4)


def settings(permutations: int = 0, bootstraps: int = 0, **sections: Any) -> dict[str, Any]:
    statistics = {"permutations": permutations, "bootstraps": bootstraps, "seed": 0}
    return SETTINGS | {"statistics": statistics, "selection": HALVES} | sections


def scene(repetitions: int = 4, noise: float = 1.0) -> tuple[list, Any]:
    """Layers of which one holds the code of an area, four categories and more, and this area."""
    random = np.random.default_rng(0)
    code = 2 * (CATEGORY[:, None] == np.unique(CATEGORY)) @ random.normal(size=(4, 10))
    code = code + random.normal(size=(N_STIMULI, 10))
    layers = [layer(random.normal(size=(N_STIMULI, 30)), f"layer{i}") for i in range(N_LAYERS)]
    layers[PLANTED] = layer(code @ random.normal(size=(10, 30)), f"layer{PLANTED}")
    responses = (code @ random.normal(size=(10, 40)))[:, None] + noise * random.normal(
        size=(N_STIMULI, repetitions, 40)
    )
    return layers, area(responses)


def of_rdms(whole: Any) -> Any:
    """The same area as it is known by the dissimilarities of three subjects."""
    random = np.random.default_rng(1)
    n_stimuli = len(whole.stimulus_id)
    rdms = []
    for _ in range(3):
        noisy = whole.mean_response + random.normal(size=(n_stimuli, len(whole.neuroid_id)))
        rdms.append(squareform(pdist(noisy, "correlation")))
    points = mixtures(np.mean(rdms, axis=0))
    return replace(area(points[:, None]), dissimilarity=np.stack(rdms))


def values(mapping: str, layers: list, of: Any, asked: dict[str, Any]) -> dict[str, NDArray]:
    found = fit(mapping, layers, of, asked, {"category": CATEGORY})
    return {name: variable.values for name, variable in found.items()}


@pytest.mark.parametrize("known", ["repetitions", "means", "dissimilarities"])
@pytest.mark.parametrize("mapping", BY_LAYER)
def test_the_planted_layer_is_found(mapping: str, known: str) -> None:
    layers, brain = scene(4 if known == "repetitions" else 1)
    brain = of_rdms(brain) if known == "dissimilarities" else brain
    found = values(mapping, layers, brain, settings(permutations=19, bootstraps=30))
    score = found["area_score"]
    assert score.argmax() == PLANTED
    assert score[PLANTED] > 0.4
    assert np.abs(np.delete(score, PLANTED)).max() < 0.15
    assert found["area_p_value"][PLANTED] == 1 / 20
    assert np.abs(found["area_null_mean"]).max() < 0.06
    selection = found["selection_score"]
    assert selection.shape == (N_LAYERS, 2, 2)
    assert (selection.argmax(axis=0) == PLANTED).all()
    draws = found["area_bootstrap"]
    assert draws.shape == (N_LAYERS, 30)
    low, high = np.percentile(draws[PLANTED], [2.5, 97.5])
    assert low < score[PLANTED] < high
    assert 0 < high - low < 0.5


@pytest.mark.parametrize("known", ["repetitions", "means", "dissimilarities"])
def test_the_planted_mixture_is_found(known: str) -> None:
    """Two layers share the area's code: together they explain it better than either."""
    random = np.random.default_rng(0)
    codes = [random.normal(size=(N_STIMULI, 12)) for _ in range(N_LAYERS)]
    layers = [layer(code, f"layer{i}") for i, code in enumerate(codes)]
    mixed = np.hstack([codes[1], codes[PLANTED]])[:, None]
    brain = area(mixed + 0.5 * random.normal(size=(N_STIMULI, 4, 24)))
    brain = brain if known == "repetitions" else area(brain.mean_response[:, None])
    brain = of_rdms(brain) if known == "dissimilarities" else brain
    found = values("rsa_reweighted", layers, brain, settings(permutations=19, bootstraps=30))
    assert found["layer"].tolist() == [TOGETHER]
    assert found["layer_weight"].shape == (N_LAYERS,)
    assert set(np.argsort(found["layer_weight"])[2:]) == {1, PLANTED}
    assert found["layer_weight"].min() >= 0
    assert found["area_score"][0] > found["best_single"][0] + 0.1
    assert found["area_p_value"][0] == 1 / 20
    assert abs(found["area_null_mean"][0]) < 0.06
    assert found["area_bootstrap"].shape == (1, 30)
    assert found["selection_score"].shape == (1, 2, 2)
    assert (found["selection_score"] > 0.2).all()


def test_the_best_single_layer_is_chosen_in_training() -> None:
    """By a fit at a time from ranks of scipy; the best of all cells would score more."""
    random = np.random.default_rng(3)
    layers = [layer(random.normal(size=(24, 30)), f"layer{i}") for i in range(5)]
    brain = area(random.normal(size=(24, 1, 20)))
    asked = settings(cross_validation={"folds": 4, "group": "", "seed": 0})
    scorer = Scorer(brain, asked, {})
    models = np.stack([scorer.layer_cells(one) for one in layers])
    total = count = 0.0
    for stimuli, cells in zip(scorer.held_out.stimuli, scorer.held_out.cells, strict=True):
        first, second = np.triu_indices(24, 1)
        training = ~np.isin(first, stimuli) & ~np.isin(second, stimuli)
        ranked = rankdata(np.vstack([scorer.cells, models]), axis=1)[:, training]
        best = models[np.corrcoef(ranked)[0, 1:].argmax()]
        total += len(cells) * spearmanr(best[cells], scorer.cells[cells])[0]
        count += len(cells)
    found = scorer.score_together(layers).best_single
    assert found == pytest.approx(total / count)
    alone = held_out_cells.score(
        [models[:, cells] for cells in scorer.held_out.cells],
        np.repeat(scorer.cells[None], 5, axis=0),
        scorer.held_out,
        "spearman",
    )
    assert alone.max() > found


METRICS = {"pearson": "correlation", "squared_euclidean": "sqeuclidean"}
SCIPY = {
    "spearman": lambda x, y: spearmanr(x, y)[0],
    "pearson": lambda x, y: pearsonr(x, y)[0],
    "kendall": lambda x, y: kendalltau(x, y)[0],  # tau-a, as there are no ties
    "cosine": lambda x, y: x @ y / np.linalg.norm(x) / np.linalg.norm(y),
}


@pytest.mark.parametrize("method", SCIPY)
@pytest.mark.parametrize("dissimilarity", ["pearson", "euclidean", "squared_euclidean", "cosine"])
def test_rsa_is_that_of_scipy(dissimilarity: str, method: str) -> None:
    layers, brain = scene(noise=3.0)
    asked = settings(5, 5, rsa={"dissimilarity": dissimilarity, "comparison": method})
    found = values("rsa", layers, brain, asked)
    metric = METRICS.get(dissimilarity, dissimilarity)
    truth = pdist(brain.mean_response, metric)
    expected = [SCIPY[method](pdist(one.features, metric), truth) for one in layers]
    np.testing.assert_allclose(found["area_score"], expected, rtol=1e-9)
    assert np.isfinite(found["area_bootstrap"]).all()
    assert np.isfinite(found["selection_score"]).all()
    moved = comparison.permuted(truth, permutations(N_STIMULI, 5, seed=0))
    null = [SCIPY[method](pdist(layers[0].features, metric), one) for one in moved]
    tolerance = 0.01 if method == "kendall" else 1e-9  # of levels, see `kendall`
    assert found["area_null_mean"][0] == pytest.approx(np.mean(null), abs=tolerance)


@pytest.mark.parametrize("mapping", BY_RSA)
def test_crossnobis_needs_repetitions(mapping: str) -> None:
    layers, brain = scene(repetitions=4, noise=3.0)
    asked = settings(9, 9, rsa={"dissimilarity": "crossnobis", "comparison": "pearson"})
    found = values(mapping, layers, brain, asked)
    assert found["area_score"].max() > 0.3
    assert np.abs(found["area_null_mean"]).max() < 0.15
    assert np.isfinite(found["selection_score"]).all()
    for fewer in (area(brain.response[:, :3]), of_rdms(brain)):
        with pytest.raises(InputError, match=r"^config: rsa\.dissimilarity: crossnobis needs 4"):
            values(mapping, layers, fewer, asked)


def test_cosine_of_noise_is_zero_where_distances_are_cross_validated() -> None:
    random = np.random.default_rng(0)
    rsa = {"dissimilarity": "crossnobis", "comparison": "cosine"}
    asked = settings(20, rsa=rsa, selection=NO_HALVES)
    brains = [area(random.normal(size=(30, 4, 100))) for _ in range(50)]
    layers = [layer(random.normal(size=(30, 20)))]
    found = [fit("rsa", layers, brain, asked) for brain in brains]
    scores = np.array([one["area_score"].values[0] for one in found])
    assert abs(scores.mean()) < 0.25
    assert scores.min() < 0 < scores.max()


@pytest.mark.parametrize("mapping", LEARN)
def test_what_is_learnt_has_no_cosine(mapping: str) -> None:
    asked = settings(rsa={"dissimilarity": "pearson", "comparison": "cosine"})
    with pytest.raises(InputError, match=r"^config: rsa\.comparison: cosine"):
        values(mapping, *scene(), asked)


def test_crossnobis_is_compared_with_squared_distances() -> None:
    layers, brain = scene(noise=0.01)
    distances = pdist(layers[PLANTED].features, "sqeuclidean")
    equal = area(layers[PLANTED].features[:, None] + brain.response[:, :, :30] * 0)
    noisy = equal.response + 1e-4 * np.random.default_rng(0).normal(size=equal.response.shape)
    asked = settings(rsa={"dissimilarity": "crossnobis", "comparison": "pearson"})
    scorer = Scorer(area(noisy), asked, {})
    np.testing.assert_allclose(scorer.layer_cells(layers[PLANTED]), distances)
    assert values("rsa", layers, area(noisy), asked)["area_score"][PLANTED] > 0.98


@pytest.mark.parametrize("mapping", COMPARE)
def test_neuroids_with_missing_responses_are_left_out(mapping: str) -> None:
    layers, brain = scene()
    layers = layers[PLANTED - 1 : PLANTED + 1]
    spoiled = brain.response.copy()
    spoiled[3, :, 5] = np.nan  # never recorded
    spoiled[4, 1, 6] = np.nan  # in one repetition
    found = values(mapping, layers, area(spoiled), settings(5, 5))
    fewer = np.delete(spoiled, 5, axis=2)
    without = values(mapping, layers, area(fewer), settings())
    np.testing.assert_allclose(found["area_score"], without["area_score"])
    assert np.isfinite(found["selection_score"]).all()
    each = np.arange(spoiled.shape[2])
    spoiled[each, :, each] = np.nan  # another stimulus of each
    empty = values(mapping, layers, area(spoiled), settings(5))
    assert np.isnan(empty["area_score"]).all()
    assert np.isnan(empty["area_p_value"]).all()


def test_remixing_reads_out_the_property_asked_for() -> None:
    layers, brain = scene()
    other = np.random.default_rng(0).permutation(CATEGORY)
    coordinates = {"category": CATEGORY, "other": other}
    score: dict[str, float] = {}
    for named in ("category", "other", ["category", "other"]):
        asked = settings(rsa_remixed={"property": named, "alphas": [1.0]})
        found = fit("rsa_remixed", layers, brain, asked, coordinates)
        score[str(named)] = found["area_score"].values[PLANTED]
    assert min(score["category"], score["['category', 'other']"]) > score["other"] + 0.1
    with pytest.raises(InputError, match="alike"):
        fit("rsa_remixed", layers, brain, settings(), {"category": np.zeros(N_STIMULI)})


def test_groups_are_held_out_whole_and_folds_are_capped() -> None:
    _, brain = scene()
    asked = settings(cross_validation={"folds": 4, "group": "category", "seed": 0})
    for stimuli in Scorer(brain, asked, {"category": CATEGORY}).held_out.stimuli:
        assert len(stimuli) == 24
        assert len(set(CATEGORY[stimuli])) == 2
    loo = settings(cross_validation={"folds": "loo", "group": "", "seed": 0})
    assert Scorer(brain, loo, {}).held_out.pair.max() + 1 == 24  # two stimuli a fold
    assert number_of_paired_folds("loo", 300, 300) == MOST_PAIRED_FOLDS
    assert number_of_paired_folds(1000, 300, 300) == MOST_PAIRED_FOLDS
    assert number_of_paired_folds(10, 300, 300) == 10
    assert number_of_paired_folds("loo", 300, 7) == 7


@pytest.mark.parametrize("mapping", DIRECT)
def test_noise_has_uniform_p_values(mapping: str) -> None:
    random = np.random.default_rng(0)
    asked = settings(permutations=99, selection=NO_HALVES)
    scores, p_values = [], []
    for _ in range(500):
        layers = [layer(random.normal(size=(24, 12)) * random.uniform(0.5, 2, (24, 1)))]
        brain = area(random.normal(size=(24, 1, 8)) * random.uniform(0.5, 2, (24, 1, 1)))
        found = fit(mapping, layers, brain, asked)
        scores.append(found["area_score"].values[0])
        p_values.append(found["area_p_value"].values[0])
    assert np.std(scores) / np.sqrt(500) < 0.005
    assert abs(np.mean(scores)) < 0.01
    assert kstest(p_values, "uniform").pvalue > 0.01


@pytest.mark.parametrize("mapping", LEARN)
def test_noise_scores_zero(mapping: str) -> None:
    """Also where the area is made of the categories, and where halves are scored."""
    random = np.random.default_rng(0)
    validation = {"folds": 5, "group": "", "seed": 0}
    asked = settings(
        selection={"method": "halves", "splits": 1, "seed": 0}, cross_validation=validation
    )
    scores, halves = [], []
    for _ in range(150):
        layers = [layer(random.normal(size=(N_STIMULI, 12)), f"layer{i}") for i in range(2)]
        layers = layers if MAPPINGS[mapping].joint else layers[:1]
        response = random.normal(size=(N_STIMULI, 2, 8)) * random.uniform(0.5, 2, (N_STIMULI, 1, 1))
        response[:, :, :4] += 2 * (CATEGORY[:, None, None] == np.unique(CATEGORY))
        found = values(mapping, layers, area(response), asked)
        scores.append(found["area_score"][0])
        halves.append(found["selection_score"].mean())
    assert np.std(scores) / np.sqrt(150) < 0.005
    assert abs(np.mean(scores)) < 0.01
    assert abs(np.mean(halves)) < 0.01


def test_areas_share_the_readouts_of_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    layers, brain = scene(1)
    made: list[int] = []
    read_out = rsa_remixed.read_out

    def spy(kernel: NDArray, *rest: Any) -> Any:
        made.append(len(kernel))
        return read_out(kernel, *rest)

    monkeypatch.setattr(rsa_remixed, "read_out", spy)
    fit_areas("rsa_remixed", layers[:1], [brain] * 3, settings(), {"category": CATEGORY})
    assert made == [N_STIMULI] + [N_STIMULI // 2] * 4  # two splits


def test_a_stimulus_with_a_single_trial_is_left_out_of_crossnobis() -> None:
    """For all layers alike; where half of the neuroids lack it, the others are the area."""
    layers, brain = scene(repetitions=4, noise=3.0)
    asked = settings(9, 9, rsa={"dissimilarity": "crossnobis", "comparison": "pearson"})
    others = np.arange(N_STIMULI) != 5
    single, half = (brain.response.copy() for _ in range(2))
    single[5, 1:] = np.nan
    half[5, 1:, ::2] = np.nan
    for response, expected, n_stimuli, n_scored in (
        (single, area(brain.response[others]), N_STIMULI - 1, brain.response.shape[2]),
        (half, area(brain.response[:, :, 1::2]), N_STIMULI, brain.response.shape[2] // 2),
    ):
        found = values("rsa", layers, area(response), asked)
        kept = layers if n_stimuli == N_STIMULI else [among(one, others) for one in layers]
        alone = values("rsa", kept, expected, asked)
        np.testing.assert_allclose(found["area_score"], alone["area_score"], rtol=1e-9)
        assert found["n_stimuli"] == n_stimuli
        assert found["complete"].sum() == n_scored
        assert np.isfinite(found["area_bootstrap"]).all()
        assert not found["n_without_pattern"].any()


def among(one: Layer, stimuli: np.ndarray) -> Layer:
    return layer(one.features[stimuli], one.name)
