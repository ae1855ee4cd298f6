"""Nested ridge against scikit-learn, himalaya and the matrix product that refitting cannot avoid.

    python benchmarks/ridge.py [--quick]

One process, one thread, rounds interleaved, medians of CPU time. Every contender predicts all
stimuli by ten outer folds, with one of ten alphas per fold and neuroid chosen in its training part:

- cortiscope: kernel and predictions, inner leave-one-out in closed form; `single` in float32, as
  in the permutation null; `kernel known` without the kernel of the raw features, which the
  exact projection has made already: compare that one with the bare product.
- sklearn: RidgeCV with alpha_per_target, inner leave-one-out by its own closed form, a loop over
  outer folds on raw features.
- himalaya: KernelRidgeCV on raw features with its linear kernel, a loop over outer folds. Its
  inner validation refits, so it is run as installed (5 inner folds, less than the others do) and
  with inner leave-one-out, the equal of the others.
- bare: the product of stacked residual matrices (fold * alpha * stimulus, stimulus) with the
  responses, all that refitting by eigendecomposition costs at the least.

With 802,816 features (an early convolution of AlexNet's size) scikit-learn's coefficients of 6,000
neuroids would need 38 GB: it gets 20 neuroids, which makes its time a lower bound.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from himalaya.backend import set_backend
from himalaya.kernel_ridge import KernelRidgeCV
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cortiscope.regression import ridge
from cortiscope.regression.cross_validation import fold_numbers

N_STIMULI, N_FOLDS = 119, 10
ALPHAS = np.logspace(-3, 6, 10)
FEW_NEUROIDS = 20

SLOW = 20.0  # seconds: not run again

Contender = Callable[[], NDArray | None]


def scene(n_features: int, n_neuroids: int) -> tuple[NDArray, NDArray]:
    """Features with a steep spectrum and responses that they explain in part."""
    random = np.random.default_rng(0)
    latents = random.normal(size=(N_STIMULI, 60)) * np.arange(1, 61) ** -0.7
    features = random.standard_normal((N_STIMULI, n_features), dtype=np.float32)
    features += latents.astype(np.float32) @ random.standard_normal(
        (60, n_features), dtype=np.float32
    )
    responses = latents @ random.normal(size=(60, n_neuroids))
    responses += 2 * random.normal(size=responses.shape)
    return features, responses


def loop(
    fit: Callable[[int], RidgeCV | KernelRidgeCV],
    features: NDArray,
    responses: NDArray,
    folds: NDArray,
) -> NDArray:
    """Outer folds by refitting. A constant is taken out first, the scale is that of `kernel`."""
    values = np.empty_like(responses)
    for fold in range(N_FOLDS):
        held = folds == fold
        mean, level = features[~held].mean(axis=0), responses[~held].mean(axis=0)
        model = fit(int((~held).sum())).fit(features[~held] - mean, responses[~held] - level)
        values[held] = model.predict(features[held] - mean) + level
    return values


def stacked_product(responses: NDArray) -> Contender:
    """The least that refitting computes, in the blocks in which it is fastest."""
    n_training = N_STIMULI - N_STIMULI // N_FOLDS
    random = np.random.default_rng(0)
    stacked = random.normal(size=(N_FOLDS * len(ALPHAS) * n_training, n_training))
    training = responses[:n_training]

    def run() -> None:
        for first in range(0, responses.shape[1], 256):
            stacked @ training[:, first : first + 256]

    return run


def contenders(features: NDArray, responses: NDArray) -> dict[str, Contender]:
    """What to run by name; the slow ones by names in SLOW."""
    folds = fold_numbers(N_STIMULI, N_FOLDS, seed=0)
    deviation = features.std(axis=0, dtype=np.float64)
    inputs = features / features.dtype.type(np.sqrt(np.square(deviation).sum()))
    few = responses[:, :FEW_NEUROIDS] if features.shape[1] > 100_000 else responses

    def cortiscope(dtype: type) -> NDArray:
        return ridge.predict(ridge.kernel(features), responses, folds, ALPHAS, dtype).values

    gram = ridge.kernel(features)

    def kernel_known() -> NDArray:
        return ridge.predict(gram, responses, folds, ALPHAS).values

    def himalaya(inner: int) -> NDArray:
        def fit(n_training: int) -> KernelRidgeCV:
            return KernelRidgeCV(ALPHAS, fit_intercept=True, cv=KFold(inner or n_training))

        return loop(fit, inputs, responses, folds)

    def sklearn() -> NDArray:
        return loop(lambda _: RidgeCV(ALPHAS, alpha_per_target=True), inputs, few, folds)

    return {
        "cortiscope": lambda: cortiscope(np.float64),
        "cortiscope single": lambda: cortiscope(np.float32),
        "cortiscope, kernel known": kernel_known,
        "bare product": stacked_product(responses),
        "himalaya, 5 inner folds": lambda: himalaya(5),
        "himalaya, inner leave-one-out": lambda: himalaya(0),
        f"scikit-learn, {few.shape[1]} neuroids": sklearn,
    }


def compare(n_features: int, n_neuroids: int, rounds: int) -> None:
    """Print the table of one size of problem."""
    features, responses = scene(n_features, n_neuroids)
    if n_features <= 100_000:
        features = features.astype(np.float64)  # larger ones stay in single precision for all
    runs = contenders(features, responses)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    answers: dict[str, NDArray | None] = {}
    for number in range(rounds):
        for name, run in runs.items():
            if number and seconds[name][0] > SLOW:
                continue
            start = time.process_time()
            answers[name] = run()
            seconds[name].append(time.process_time() - start)
    report(f"{N_STIMULI} stimuli, {n_features} features, {n_neuroids} neuroids", seconds, answers)


def report(title: str, seconds: dict[str, list[float]], answers: dict[str, NDArray | None]) -> None:
    ours, reference = float(np.median(seconds["cortiscope"])), answers["cortiscope"]
    print(f"\n{title}, {N_FOLDS} folds")
    print(f"{'':32}{'CPU s':>9}{'x cortiscope':>14}{'rounds':>8}{'r':>9}")
    for name, times in seconds.items():
        median, answer = float(np.median(times)), answers[name]
        agreement = ""
        if answer is not None and reference is not None:
            same = reference[:, : answer.shape[1]]
            agreement = f"{np.corrcoef(same.ravel(), answer.ravel())[0, 1]:.5f}"
        print(f"{name:32}{median:9.3f}{median / ours:14.2f}{len(times):8d}{agreement:>9}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small: to see that it runs")
    quick = parser.parse_args().quick
    set_backend("numpy")
    warnings.filterwarnings("ignore")
    print("x cortiscope: CPU time over cortiscope's. r: agreement of the predictions with its own.")
    with threadpool_limits(1):
        if quick:
            compare(4096, 200, rounds=1)
            return
        compare(4096, 6000, rounds=5)
        compare(802_816, 6000, rounds=3)


if __name__ == "__main__":
    main()
