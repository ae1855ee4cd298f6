"""Nested ridge with thousands of stimuli, against its peers and the products that it cannot avoid.

    python benchmarks/scale.py [--quick] [--only NAME ...]

One process, one thread, rounds interleaved, medians of CPU time, on the same arrays. Every
contender predicts all stimuli by ten outer folds, strengths chosen in their training parts:

- cortiscope: from the features, ten alphas; `single` in float32, as in the permutation null.
- scikit-learn: RidgeCV with alpha_per_target, in float32, which is faster, refitted for each fold.
- himalaya: KernelRidgeCV, or RidgeCV where components are fewer than stimuli, refitted for each
  fold; five inner folds, as installed, where the others leave one out.
- pls: scikit-learn's PLSRegression of 25 components in float32, refitted for each fold; nothing is
  chosen, and the neuroids are regressed together.
- bare: the smaller of the kernel (stimulus, stimulus) and the covariance (component, component) of
  the features, the responses times its eigenvectors, and back again, each once in float64. No ridge
  regression computes less, be it of one alpha and one fold; decompositions are left out.

Then growth: the exponent of n, p or N with which cortiscope's CPU time grows from half of one of
them, with the two others as they are, to the whole. --quick: a tenth of stimuli, components and
neuroids each. --only: some of the contenders, and no growth.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from himalaya.backend import set_backend
from himalaya.kernel_ridge import KernelRidgeCV
from himalaya.ridge import RidgeCV as HimalayaRidgeCV
from numpy.typing import NDArray
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import RidgeCV
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cortiscope.regression import ridge
from cortiscope.regression.cross_validation import fold_numbers

SIZES = (3200, 4096, 256), (10_000, 1000, 1000)  # stimuli, components, neuroids
N_FOLDS = 10
ALPHAS = np.logspace(-3, 6, 10)
ROUNDS = 3
SLOW = 20.0  # seconds: not run again

Contender = Callable[[], NDArray | None]


def scene(n_stimuli: int, n_components: int, n_neuroids: int) -> tuple[NDArray, NDArray]:
    """Features with a steep spectrum and responses that they explain in part."""
    random = np.random.default_rng(0)
    latents = random.normal(size=(n_stimuli, 60)) * np.arange(1, 61) ** -0.7
    features = random.standard_normal((n_stimuli, n_components), dtype=np.float32)
    features += (latents @ random.normal(size=(60, n_components))).astype(np.float32)
    responses = latents @ random.normal(size=(60, n_neuroids))
    return features, responses + 2 * random.normal(size=responses.shape)


def refitted(
    make: Callable[[], Any], features: NDArray, responses: NDArray, folds: NDArray
) -> NDArray:
    """A loop over outer folds. A constant is taken out first, the scale is that of `kernel`."""
    values = np.empty_like(responses)
    deviation = features.std(axis=0, dtype=np.float64)
    inputs = features / features.dtype.type(np.sqrt(np.square(deviation).sum()))
    for fold in range(N_FOLDS):
        held = folds == fold
        mean, level = inputs[~held].mean(axis=0), responses[~held].mean(axis=0)
        model = make().fit(inputs[~held] - mean, responses[~held] - level)
        values[held] = model.predict(inputs[held] - mean) + level
    return values


def bare_products(features: NDArray, responses: NDArray) -> Contender:
    wide = features.astype(np.float64)
    if features.shape[1] > len(features):
        wide = wide.T  # (component, stimulus)
    vectors = np.ones((len(responses), wide.shape[1]))

    def run() -> None:
        wide.T @ wide
        vectors @ (vectors.T @ responses)

    return run


def contenders(features: NDArray, responses: NDArray) -> dict[str, Contender]:
    """What to run by name."""
    n_stimuli, n_components = features.shape
    folds, single = fold_numbers(n_stimuli, N_FOLDS, seed=0), responses.astype(np.float32)

    def cortiscope(dtype: type) -> NDArray:
        kernel = ridge.kernel_or_factor(features)
        return ridge.predict(kernel, responses, folds, ALPHAS, dtype).values

    def himalaya() -> KernelRidgeCV | HimalayaRidgeCV:
        if n_components < n_stimuli:
            return HimalayaRidgeCV(ALPHAS, fit_intercept=False)
        return KernelRidgeCV(ALPHAS, fit_intercept=False)

    def peer(make: Callable[[], Any]) -> Contender:
        return lambda: refitted(make, features, single, folds)

    return {
        "cortiscope": lambda: cortiscope(np.float64),
        "cortiscope single": lambda: cortiscope(np.float32),
        "scikit-learn": peer(lambda: RidgeCV(ALPHAS, alpha_per_target=True)),
        "himalaya": peer(himalaya),
        "pls": peer(lambda: PLSRegression(min(25, n_components), scale=False)),
        "bare": bare_products(features, responses),
    }


def seconds_of(run: Contender) -> tuple[float, NDArray | None]:
    start = time.process_time()
    answer = run()
    return time.process_time() - start, answer


def compare(size: tuple[int, int, int], only: list[str]) -> None:
    """Print the table of one size of problem."""
    runs = {name: run for name, run in contenders(*scene(*size)).items() if name in only}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    answers: dict[str, NDArray | None] = {}
    for number in range(ROUNDS):
        for name, run in runs.items():
            if number == 0 or seconds[name][0] <= SLOW:
                spent, answers[name] = seconds_of(run)
                seconds[name].append(spent)
    print("\n{} stimuli, {} components, {} neuroids, {} folds".format(*size, N_FOLDS))
    print(f"{'':20}{'CPU s':>9}{'x cortiscope':>14}{'rounds':>8}{'r':>9}")
    first = next(iter(runs))
    ours, reference = float(np.median(seconds[first])), answers[first]
    for name, times in seconds.items():
        median, answer = float(np.median(times)), answers[name]
        agreement = ""
        if answer is not None and reference is not None:
            agreement = f"{np.corrcoef(reference.ravel(), answer.ravel())[0, 1]:.5f}"
        ratio = median / ours
        print(f"{name:20}{median:9.3f}{ratio:14.2f}{len(times):8d}{agreement:>9}", flush=True)


def growth(size: tuple[int, int, int]) -> None:
    """Print the exponents of one size of problem."""
    whole = seconds_of(contenders(*scene(*size))["cortiscope"])[0]
    found = []
    for place, name in enumerate(("n", "p", "N")):
        n_stimuli, n_components, n_neuroids = (
            number // 2 if own == place else number for own, number in enumerate(size)
        )
        run = contenders(*scene(n_stimuli, n_components, n_neuroids))["cortiscope"]
        found.append(f"{name} {np.log2(whole / seconds_of(run)[0]):.2f}")
    print("growth of cortiscope:", ", ".join(found), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small: to see that it runs")
    parser.add_argument("--only", nargs="+", metavar="NAME")
    asked = parser.parse_args()
    set_backend("numpy")
    warnings.filterwarnings("ignore")
    print("x cortiscope: CPU time over cortiscope's. r: agreement of the predictions with its own.")
    with threadpool_limits(1):
        for whole in SIZES:
            n_stimuli, n_components, n_neuroids = (
                number // 10 if asked.quick else number for number in whole
            )
            size = n_stimuli, n_components, n_neuroids
            compare(size, asked.only or list(contenders(*scene(*size))))
            if not asked.only:
                growth(size)


if __name__ == "__main__":
    main()
