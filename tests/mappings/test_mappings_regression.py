"""Regressions as mappings: each through `fitting.fit`, on planted scenes and on noise."""

import numpy as np
import pytest
import yaml
from scipy import stats

from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.mappings.pls import Scorer as PartialLeastSquares
from cortiscope.mappings.regressions import Regressions
from cortiscope.mappings.ridge import Scorer as Ridge
from cortiscope.planning.schema import check, read_config_schema
from cortiscope.regression import brainscore, pls, ridge
from cortiscope.regression.cross_validation import fold_numbers
from cortiscope.regression.held_out_scores import fold_centred_correlation
from cortiscope.statistics.resampling import permutations
from tests.regression_scene import CONFIG, NO_HALVES, code, layer, layers, planted, run, settings
from tests.running import REPOSITORY
from tests.synthetic_areas import area

PREDICT = {name: kind for name, kind in MAPPINGS.items() if kind.of_neuroids}
SINGLE = [*(name for name, kind in PREDICT.items() if not kind.joint), "brainscore"]
ALL = [*PREDICT, "brainscore"]
NEUROID_VALUES = ("score", "alpha", "null_mean", "p_value")


@pytest.mark.parametrize("kind", SINGLE)
def test_a_layer_that_holds_the_code_beats_those_that_do_not(kind: str) -> None:
    scene = layers(120)
    found = run(kind, scene, planted(scene[1]), n_permutations=30, n_draws=40)
    score, p = found["area_score"], found["area_p_value"]
    # Least squares fits the noise of the training part as well.
    assert score[1] > (0.25 if kind == "ols" else 0.6)
    assert np.all(np.abs(score[[0, 2]]) < 0.15)
    assert p[1] == pytest.approx(1 / 31)
    assert np.all(p[[0, 2]] > 1 / 31)
    assert np.all(np.abs(found["area_null_mean"]) < 0.04)
    low, high = np.percentile(found["area_bootstrap"][1], [1, 99])
    assert low < score[1] < high
    halves = found["selection_score"]
    assert np.all(halves[1] > halves[[0, 2]] + 0.1)
    assert found["area_bootstrap"].shape == (3, 40)
    assert halves.shape == (3, 2, 2)
    for name in NEUROID_VALUES:
        assert found[name].shape == (3, 12)
        assert np.isfinite(found[name]).all()
    assert np.all((found["p_value"] > 0) & (found["p_value"] <= 1))


@pytest.mark.parametrize("kind", ["ols", "pcr", "lasso", "pls", "brainscore"])
def test_alpha_says_what_was_taken_inside_the_training_stimuli(kind: str) -> None:
    scene = layers(100)
    recorded = planted(scene[0]).response
    recorded[:, :, 6:] = np.random.default_rng(4).normal(size=(100, 4, 6))  # noise needs restraint
    alpha = run(kind, scene[:1], area(recorded))["alpha"][0]
    if kind in ("ols", "pls", "brainscore"):
        np.testing.assert_allclose(alpha, {"ols": 60}.get(kind, 25), rtol=1e-6)
    else:
        options = {"pcr": [2, 25], "lasso": [0.003, 0.3]}[kind]
        assert np.all((alpha >= options[0] * 0.999) & (alpha <= options[1] * 1.001))
        assert (alpha[:6] > alpha[6:]).mean() == (kind == "pcr")


@pytest.mark.parametrize("kind", ALL)
def test_without_repetitions_and_with_missing_and_constant_neuroids(kind: str) -> None:
    scene = layers(90)
    response = planted(scene[1], 8, 1).response
    whole = run(kind, scene[1:2], area(response[:, :, :4]))
    response[70:, 0, 4:6] = np.nan
    response[:, 0, 6] = 3.0
    response[:, 0, 7] = np.nan
    found = run(kind, scene[1:2], area(response), n_permutations=5, n_draws=6)
    score = found["score"][0]
    # Published splits are of all stimuli, so that a neuroid recorded on some is left out.
    scored = 4 if kind == "brainscore" else 6
    assert np.array_equal(np.isfinite(score), np.arange(8) < scored)
    assert np.array_equal(np.isfinite(found["p_value"][0]), np.arange(8) < scored)
    if kind not in ("pls", "brainscore"):  # in which a neuroid takes part in the others' scores
        np.testing.assert_allclose(score[:4], whole["score"][0, :4], atol=1e-6)
    assert np.isfinite(found["area_score"]).all()
    assert np.isfinite(found["selection_score"]).all()
    assert found["selection_score"].shape == (1, 2, 2)
    assert np.isfinite(found["area_bootstrap"]).all()


@pytest.mark.parametrize("kind", ALL)
def test_noise_scores_zero(kind: str) -> None:
    scene = layers(100)
    noise = np.random.default_rng(3).normal(size=(100, 1, 1500)) + 2
    if kind in ("pls", "brainscore"):  # regressed together: as many areas as there are scores
        found = [
            run(kind, scene[:1], area(part), selection=NO_HALVES)
            for part in np.split(noise[:, :, :1200], 24, axis=2)
        ]
        mean = np.mean([one["area_score"][0] for one in found])
        error = np.std([one["area_score"][0] for one in found]) / np.sqrt(24)
        assert abs(mean) < max(0.01, 2 * error)
        assert error < 0.01
    else:
        # One layer's noise is not that of all stimuli of its kind: three layers, where each is one.
        some = noise if MAPPINGS[kind].joint else noise[:, :, :500]
        found = run(kind, scene, area(some), selection=NO_HALVES)
        assert abs(found["area_score"].mean()) < 0.01


@pytest.mark.parametrize("kind", SINGLE[:-1])
def test_p_values_of_noise_are_uniform(kind: str) -> None:
    scene = layers(40, n_components=20)
    runs = 25 if kind == "pls" else 50  # whose null is the dearest
    noise = np.random.default_rng(5).normal(size=(runs, 40, 1, 6))
    options = {"n_permutations": 19, "selection": NO_HALVES}
    p = [run(kind, scene[:1], area(one), **options)["area_p_value"][0] for one in noise]
    assert stats.kstest(p, "uniform").pvalue > 0.01


@pytest.mark.parametrize("folds", [10, "loo"])
@pytest.mark.parametrize("n_components", [20, 200])
@pytest.mark.parametrize("kind", SINGLE[:-1])
def test_p_values_of_moved_predictions_are_uniform(kind: str, n_components: int, folds) -> None:
    """Of areas whose neuroids share their noise, as well.

    Not where partial least squares has 25 components for 36 training stimuli: the null is then a
    tenth too narrow (0.085 of p-values at 0.05).
    """
    if kind in ("pls", "lasso") and (folds == "loo" or n_components == 200):
        return
    scene = layers(40, n_components=n_components)
    random = np.random.default_rng(8)
    runs = 30 if kind in ("pls", "lasso", "pcr") else 60
    noise = random.normal(size=(runs, 40, 1, 6)) + random.normal(size=(runs, 40, 1, 1))
    statistics = {"permutations": 39, "bootstraps": 0, "seed": 0, "null_method": "moved"}
    sections = {"statistics": statistics, "selection": NO_HALVES}
    sections["cross_validation"] = CONFIG["cross_validation"] | {"folds": folds}
    p = [run(kind, scene[:1], area(one), **sections)["area_p_value"][0] for one in noise]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(np.array(p) <= 0.1) < 0.2


def test_predictions_stay_as_they_are_where_responses_move() -> None:
    scene = layers(60)
    recorded = planted(scene[1], 6, 1).response
    recorded[50:, :, 3] = np.nan
    statistics = {"permutations": 12, "bootstraps": 0, "seed": 0, "null_method": "moved"}
    options = {"statistics": statistics, "selection": NO_HALVES}
    found = run("ridge", scene[:2], area(recorded), **options)
    again = run("ridge", scene[:2], area(recorded), selection=NO_HALVES)
    np.testing.assert_array_equal(found["score"], again["score"])
    kernel, folds = ridge.kernel(scene[1].features), fold_numbers(60, 10, 0)
    values = recorded[:, 0, :3]
    predicted = ridge.predict(kernel, values, folds, CONFIG["ridge"]["alphas"])
    x, y = np.empty((2, *values.shape))
    for fold in range(10):
        held = folds == fold
        x[held] = predicted.values[held] - predicted.values[held].mean(axis=0)
        x[held] /= predicted.spread[fold]
        y[held] = values[held] - values[held].mean(axis=0)
    null = [
        [np.corrcoef(x[:, n], y[order, n])[0, 1] for n in range(3)]
        for order in permutations(60, 12, 0)
    ]
    expected = np.tanh(np.sqrt(2) * np.arctanh(null)).mean(axis=0)
    np.testing.assert_allclose(found["null_mean"][1, :3], expected, atol=1e-6)


def test_p_values_of_noise_are_uniform_with_missing_responses() -> None:
    """Each neuroid was shown stimuli of its own, and these alone change places."""
    scene = layers(40, n_components=20)
    random = np.random.default_rng(6)
    noise = random.normal(size=(60, 40, 1, 6))
    noise[random.random(noise.shape) < 0.2] = np.nan
    options = {"n_permutations": 19, "selection": NO_HALVES}
    p = [run("ridge", scene[:1], area(one), **options)["area_p_value"][0] for one in noise]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_null_of_a_neuroid_is_that_of_the_stimuli_it_was_shown() -> None:
    """The same as of a study of these alone, its permutations theirs among all."""
    scene = layers(90)
    recorded = planted(scene[1], 6, 1).response
    shown = np.arange(90) % 4 > 0
    recorded[~shown, :, 2:] = np.nan
    scorer = Ridge(area(recorded), settings("ridge", 12), {})
    null = scorer._null(Regressions(scorer.prepare, scene[1].features))
    whole = Ridge(area(recorded[:, :, :2]), settings("ridge", 12), {})
    complete = whole._null(Regressions(whole.prepare, scene[1].features))
    np.testing.assert_array_equal(null[:, :2], complete)
    kernel, folds = ridge.kernel(scene[1].features[shown]), scorer.sample.folds[shown]
    for one, order in zip(null, permutations(90, 12, 0), strict=True):
        among = [np.flatnonzero(shown).tolist().index(place) for place in order if shown[place]]
        own = recorded[shown, 0, 2:][among]
        predicted = ridge.predict(kernel, own, folds, CONFIG["ridge"]["alphas"])
        expected = fold_centred_correlation(predicted, own, folds)
        np.testing.assert_allclose(one[2:], expected, atol=1e-5)


@pytest.mark.parametrize("kind", ALL)
def test_the_score_of_an_area_is_the_mean_over_its_neuroids(kind: str) -> None:
    scene = layers(80)
    found = run(kind, scene[:2], planted(scene[0], 6))
    expected = found["score"][0].astype(float).mean()
    if kind == "brainscore":  # a median
        expected = run(kind, scene[:1], planted(scene[0], 6))["area_score"][0]
    assert found["area_score"][0] == pytest.approx(expected, rel=1e-5)


def test_groups_are_held_out_together() -> None:
    """Features that tell a group from the others are of no use for a group that is held out."""
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(10), 10)
    scene = [layer("groups", np.eye(10)[group] + 0.01 * random.normal(size=(100, 10)))]
    offsets = random.normal(size=(10, 5))[group]
    recorded = area((offsets + 0.3 * random.normal(size=(100, 5)))[:, None])
    validation = {"folds": 5, "group": "object", "seed": 0}
    for kind in SINGLE[:-1]:
        apart = run(kind, scene, recorded, cross_validation=validation | {"group": ""})
        together = run(
            kind,
            scene,
            recorded,
            cross_validation=validation,
            coordinates={"object": group.astype(str)},
        )
        assert apart["area_score"][0] > 0.7
        assert together["area_score"][0] < 0.5


def test_halves_of_fewer_groups_than_folds_are_scored() -> None:
    scene = layers(80)
    group = np.repeat(np.arange(20), 4).astype(str)
    options = {
        "cross_validation": {"folds": 20, "group": "object", "seed": 0},
        "coordinates": {"object": group},
    }
    for kind in ALL:
        found = run(kind, scene[:1], planted(scene[0], 6, 1), **options)
        assert np.isfinite(found["selection_score"]).all()


def test_neuroids_are_regressed_together_by_pls_and_halves_apart() -> None:
    scene = layers(90)
    recorded = planted(scene[0], 10)
    found = run("pls", scene[:1], recorded, n_permutations=4)
    response, features = recorded.mean_response, scene[0].features
    folds = fold_numbers(90, 10, 0)
    predicted = pls.predict(features, response, folds, 25)
    expected = fold_centred_correlation(predicted, response, folds)
    np.testing.assert_allclose(found["score"][0], expected, atol=1e-6)
    scorer = PartialLeastSquares(recorded, settings("pls", 4), {})
    for split, half in np.ndindex(2, 2):
        own = recorded.response[:, scorer.halves[split, half]].mean(axis=1)
        score = fold_centred_correlation(pls.predict(features, own, folds, 25), own, folds)
        assert found["selection_score"][0, split, half] == pytest.approx(score.mean(), abs=1e-6)
    null = pls.Regression(features, folds, 25).null_scores(response, permutations(90, 4, 0))
    np.testing.assert_allclose(found["null_mean"][0], null.mean(axis=0), atol=1e-6)


def test_brain_scores_protocol_is_that_of_its_module() -> None:
    scene = layers(100)
    recorded = planted(scene[0], 15)
    category = (np.arange(100) % 4).astype(str)
    options = CONFIG["pls"] | {"protocol": "brainscore", "category": "kind", "components": 10}
    # More folds than groups: a matter of the other protocol.
    validation = {"folds": 50, "group": "kind", "seed": 0}
    found = run(
        "brainscore",
        scene[:1],
        recorded,
        n_permutations=6,
        n_draws=7,
        pls=options,
        cross_validation=validation,
        coordinates={"kind": category},
    )
    features, response = scene[0].features, recorded.mean_response
    expected = brainscore.predict(features, response, category, components=10)
    assert found["area_score"][0] == pytest.approx(expected.score, abs=1e-12)
    median = np.median(expected.r, axis=1).mean()
    assert found["area_score"][0] == pytest.approx(median, abs=1e-12)
    np.testing.assert_allclose(found["score"][0], expected.r.mean(axis=0), atol=1e-6)
    orders = permutations(100, 6, 0)
    null = brainscore.null(features, response, category, orders, components=10)
    np.testing.assert_allclose(found["null_mean"][0], null.r.mean(axis=0), atol=1e-6)
    assert found["area_null_mean"][0] == pytest.approx(null.score.mean(), abs=1e-12)


def test_draws_of_brain_scores_protocol_count_test_stimuli() -> None:
    scene = layers(100)
    response = planted(scene[0], 15).mean_response
    draws = np.vstack([np.ones(100), np.full(100, 3.0), np.arange(100) % 3, np.zeros(100)])
    found = brainscore.predict(scene[0].features, response, None, draws=draws)
    np.testing.assert_allclose(found.bootstrap[:2], found.score, atol=1e-9)
    assert np.isnan(found.bootstrap[3])
    # Stimuli that are counted twice are those that are there twice.
    counts = draws[2]
    held = [np.repeat(np.flatnonzero(test), counts[test].astype(int))
            for test in brainscore.splits(100, None)]  # fmt: skip
    axes = brainscore._decomposed(scene[0].features, brainscore.splits(100, None))
    parts = list(brainscore._parts(axes, response[None], 25))
    medians = []
    for test, twice, part in zip(brainscore.splits(100, None), held, parts, strict=True):
        place = np.searchsorted(np.flatnonzero(test), twice)
        a, b = part.predicted[0][place], part.measured[0][place]
        medians.append(np.median([np.corrcoef(a[:, k], b[:, k])[0, 1] for k in range(15)]))
    assert found.bootstrap[2] == pytest.approx(np.mean(medians), abs=1e-9)


def test_stacking_finds_the_layers_that_hold_the_code_together() -> None:
    scene = layers(120, 5)
    signal = code(scene[1], 12, 0) + code(scene[3], 12, 1)
    random = np.random.default_rng(2)
    recorded = area(signal[:, None] + 2 * random.normal(size=(120, 4, 12)))
    found = run("stacked", scene, recorded, n_permutations=20, n_draws=30)
    assert found["layer"].tolist() == ["all layers"]
    assert found["member"].tolist() == [one.name for one in scene]
    np.testing.assert_allclose(found["member_depth"], [0, 0.25, 0.5, 0.75, 1])
    weight = found["layer_weight"]
    assert weight.shape == (5,)
    assert np.all(weight[[1, 3]] > 0.3)
    assert np.all(weight[[0, 2, 4]] < 0.1)
    assert 0 <= weight.min() <= weight.sum() <= 1 + 1e-9
    single = run("ridge", scene, recorded)
    assert found["area_score"][0] > single["area_score"].max() + 0.1
    np.testing.assert_allclose(found["alpha"].mean(), weight.sum(), atol=1e-6)
    assert found["area_p_value"][0] == pytest.approx(1 / 21)
    assert abs(found["area_null_mean"][0]) < 0.04
    assert found["area_bootstrap"].shape == (1, 30)
    assert found["selection_score"].shape == (1, 2, 2)


def test_layer_weights_are_means_over_the_neuroids_of_the_score() -> None:
    scene = layers(120, 2)
    signal = np.hstack([code(scene[0], 4, 0), code(scene[1], 4, 1)])
    noise = np.random.default_rng(0).normal(size=(120, 3, 8))
    response = signal[:, None] + 0.3 * noise
    response[:, :, 7] = 1.0  # constant: takes no part
    assert run("stacked", scene, area(response[:, :, :4]))["layer_weight"][0] > 0.9
    assert run("stacked", scene, area(response[:, :, 4:]))["layer_weight"][1] > 0.9
    both = run("stacked", scene, area(response))["layer_weight"]
    assert both[0] == pytest.approx(4 / 7, abs=0.1)
    assert both[1] == pytest.approx(3 / 7, abs=0.1)


def test_the_schema_has_every_option_of_the_config_as_its_default() -> None:
    written = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    minimal = {key: written[key] for key in ("study", "stimuli", "responses", "models")}
    schema = read_config_schema(REPOSITORY / "workflow/schemas/config.schema.yaml")
    completed = check(minimal, schema, "config")
    for section in ("pcr", "lasso", "pls", "stacked"):
        assert completed[section] == written[section]
