"""How long a fit takes, by the formula that the mapping's row names (`mappings/mappings.json`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.regression.cross_validation import number_of_paired_folds
from cortiscope.statistics.resampling import NULL_COLUMNS
from cortiscope.statistics.standard_errors import DELETED_GROUPS

# What a core does in the products of a ridge fit, and in the gathers of an RSA, measured low.
PRODUCTS_PER_SECOND = 2e10
CELLS_PER_SECOND = 1.1e8
# Of as many stimuli, cubed: a decomposition and what pcr and its like make of it; of ridge a
# decomposition, and what it makes of that for each alpha.
SECONDS_PER_DECOMPOSITION = 1.5e-10
SECONDS_PER_KERNEL, SECONDS_PER_ALPHA = 4e-10, 5e-11
# What a fit costs beside those: a layer of its own, and each decomposition of a training part.
SECONDS_PER_LAYER = 0.01
SECONDS_PER_PART = 7e-4
SECONDS_OF_ALL_FOLDS = 0.2  # of ridge, where one decomposition serves all folds
# Of a cell and fold, for what a ridge fit makes of each fold's model.
SECONDS_PER_PREDICTION = 2e-9
SECONDS_PER_MOVED = 3e-9  # of a cell, for a permutation of what is predicted
FOLDS = 10  # of the measurements in the table
KEPT_BYTES = 2**28  # of `principal_axes`, which every dry run would have to import


@dataclass(frozen=True)
class Fit:
    """One layer against one area; settings: the sections of the config that its mapping reads.

    n_components: at most how many features a stimulus has.
    """

    n_stimuli: int
    n_neuroids: int
    settings: Mapping[str, Any]
    n_components: float = float("inf")

    @property
    def cells(self) -> int:
        return self.n_stimuli * self.n_neuroids

    @property
    def refitted_cells(self) -> int:
        """On so many neuroids it is seen what other models would add (see `mappings.encoding`)."""
        return self.n_stimuli * min(self.n_neuroids, 512)

    @property
    def splits(self) -> int:
        return splits_in_halves(self.settings)

    @property
    def tested_once(self) -> bool:
        """Of a given split the test stimuli are resampled, without further fits."""
        return bool(self.settings.get("cross_validation", {}).get("split"))

    @property
    def moved(self) -> bool:
        """Whether the null needs no further fits."""
        return self.tested_once or self.settings["statistics"].get("null_method") == "moved"

    @property
    def permutations(self) -> int:
        """Those that are fitted or compared anew."""
        return 0 if self.moved else int(self.settings["statistics"]["permutations"])

    @property
    def refits(self) -> int:
        asked = self.settings["statistics"]["bootstraps"]
        return DELETED_GROUPS if asked and not self.tested_once else 0

    @property
    def share(self) -> float:
        """Of the permutations of the measurements in the table, with what else is fitted."""
        return (10 + self.refits + self.permutations) / 120

    @property
    def folds(self) -> int:
        """How many training parts there are; of groups left out one by one, as of stimuli."""
        validation = self.settings.get("cross_validation", {"folds": FOLDS})
        if validation.get("split"):
            return 1
        return self.n_stimuli if validation["folds"] == "loo" else int(validation["folds"])

    @property
    def paired_folds(self) -> int:
        """Of which two are held out at a time; of a given split two, the one pair there is."""
        validation = self.settings["cross_validation"]
        if validation.get("split"):
            return 2
        return number_of_paired_folds(validation["folds"], self.n_stimuli, self.n_stimuli)

    @property
    def fold_pairs(self) -> int:
        """How many pairs of folds are held out, where two are at a time."""
        return max(1, self.paired_folds * (self.paired_folds - 1) // 2)

    def slower(self, times: int) -> int:
        """So many times where cells are compared by Kendall's tau, else once."""
        return times if self.settings.get("rsa", {}).get("comparison") == "kendall" else 1


def seconds_per_layer(
    mapping: str,
    n_stimuli: int,
    n_neuroids: int,
    settings: Mapping[str, Any],
    n_components: float = float("inf"),
) -> float:
    """Rough core-seconds to score one layer against one area, in all its folds."""
    numbers = dict(MAPPINGS[mapping].cost)
    formula = FORMULAS[numbers.pop("formula")]
    fit = Fit(n_stimuli, n_neuroids, settings, n_components)
    resampled = _of_predictions(fit) if MAPPINGS[mapping].of_neuroids else 0.0
    return formula(fit, **numbers) + resampled


def splits_in_halves(settings: Mapping[str, Any]) -> int:
    """How many times the data are halved: never, where layers are chosen otherwise."""
    selection = settings["selection"]
    return int(selection["splits"]) if selection["method"] == "halves" else 0


def closed_form(fit: Fit) -> float:
    """Ridge, in which one decomposition serves all folds and responses (see `nested`)."""
    if fit.tested_once or 2 * fit.n_components <= fit.n_stimuli:
        return SECONDS_PER_LAYER + _of_few_components(fit)
    # Fits of the same targets: all data, and at half the precision each half and the null.
    fits = 1 + fit.splits + fit.permutations / 2
    calls = 1 + fit.splits + -(-fit.permutations * fit.n_neuroids // NULL_COLUMNS)
    alphas = len(fit.settings["ridge"]["alphas"])
    # Two matrix products an alpha serve all folds, a product and a sum a cell; of all but a tenth
    # of the stimuli there are three at half the precision, whatever the alphas.
    products = fits * alphas * 4 * fit.n_stimuli * fit.cells
    products += fit.refits * 3 * fit.n_stimuli * fit.refitted_cells
    predictions = fits * fit.folds * fit.cells + fit.refits * fit.folds * fit.refitted_cells
    matrices = (1 + fit.refits) * SECONDS_PER_KERNEL + calls * alphas * SECONDS_PER_ALPHA
    return (
        SECONDS_PER_LAYER
        + SECONDS_OF_ALL_FOLDS
        + products / PRODUCTS_PER_SECOND
        + predictions * SECONDS_PER_PREDICTION
        + matrices * fit.n_stimuli**3
    )


def _of_few_components(fit: Fit) -> float:
    """Each training part is fitted by itself, in the space of its components or of its stimuli;
    about three alphas are tried of a neuroid.
    """
    fits = 1 + fit.splits + fit.permutations / 2
    n_components = min(fit.n_components, fit.n_stimuli)
    of_part = n_components**2 * (3 * fit.n_stimuli + 3 * n_components)
    parts = fit.folds * (of_part + fits * 8 * n_components * fit.cells)
    refits = fit.refits * (of_part + 8 * n_components * fit.refitted_cells)
    return (parts + refits) / PRODUCTS_PER_SECOND


def regression(
    fit: Fit, seconds: float, of_fold: float, inner_parts: int, of_components: bool = False
) -> float:
    """Every training part is fitted by itself.

    seconds: measured with 240 stimuli, 64 neuroids and 100 permutations. of_fold: and of each fold,
    however few the stimuli. inner_parts: within each training part, in which something is chosen.
    of_components: whether products are with as many components whatever the stimuli.
    """
    products = _products(fit, seconds) * (240 / fit.n_stimuli if of_components else 1.0)
    of_fold += products / FOLDS
    parts = _decompositions(fit, inner_parts) + fit.refits
    of_part = SECONDS_PER_PART + SECONDS_PER_DECOMPOSITION * fit.n_stimuli**3
    return SECONDS_PER_LAYER + fit.folds * (of_fold + parts * of_part)


def half_closed_form(fit: Fit, seconds: float, of_fold: float, of_weights: float) -> float:
    """The same, of which half is ridge, which serves all folds at once.

    of_weights: seconds of the weights of layers, of each neuroid and fold of each fit.
    """
    fits = 1 + fit.splits + fit.refits + fit.permutations
    of_fold += of_weights * fits * fit.n_neuroids
    products = _products(fit, seconds)
    of_fold += products / FOLDS
    return SECONDS_PER_LAYER + products / 2 + fit.folds * (of_fold - products / (2 * FOLDS))


def comparison(fit: Fit) -> float:
    """Cells of a layer are compared with those of an area; nothing is learnt."""
    permutations = fit.permutations
    passes = 2 + permutations + fit.settings["statistics"]["bootstraps"] / 10
    of_cells = fit.slower(10) * passes * fit.n_stimuli**2 / 2 / CELLS_PER_SECOND
    # The products between stimuli, of the layer, and of the area once a job.
    patterns = min(fit.n_components, fit.n_stimuli) + fit.n_neuroids / 2
    return SECONDS_PER_LAYER + of_cells + 2 * fit.n_stimuli**2 * patterns / PRODUCTS_PER_SECOND


def similarity(fit: Fit, seconds: float) -> float:
    """The same where more is made of the cells; the neuroids cost next to nothing.

    seconds: measured as above.
    """
    return SECONDS_PER_LAYER + _of_cells(fit, seconds)


def pairs_of_folds(fit: Fit, seconds: float, of_pair: float) -> float:
    """The same where cells are learnt from. of_pair: seconds of each pair of folds, held out."""
    of_cells = _of_cells(fit, seconds) / (FOLDS * (FOLDS - 1) // 2)
    return SECONDS_PER_LAYER + fit.fold_pairs * (of_cells + of_pair)


def closed_form_of_pairs(fit: Fit, of_pair: float) -> float:
    """Ridge of pairs of folds, as many side by side as there are folds for; and what is predicted
    of each pair compared. of_pair: seconds of a pair of folds, once.
    """
    rounds = max(1, fit.paired_folds - 1)
    pairs = (1 + fit.permutations) * fit.fold_pairs * fit.slower(5)
    ridge = closed_form(fit) - SECONDS_PER_LAYER
    return SECONDS_PER_LAYER + rounds * ridge + pairs * of_pair


def spectra(fit: Fit, of_spectrum: float) -> float:
    """Singular values, anew for each permutation, 100 or more, and in a jackknife 25.

    of_spectrum: seconds of one, of a single stimulus and neuroid.
    """
    passes = max(fit.permutations, 100) * (1 + 2 * fit.splits) + 25 * DELETED_GROUPS
    narrow = min(fit.n_stimuli, fit.n_neuroids)
    return SECONDS_PER_LAYER + passes * of_spectrum * fit.n_stimuli * narrow**2


FORMULAS: dict[str, Callable[..., float]] = {
    formula.__name__: formula
    for formula in (
        *(closed_form, regression, half_closed_form),
        *(comparison, similarity, pairs_of_folds, closed_form_of_pairs, spectra),
    )
}


def _of_predictions(fit: Fit) -> float:
    """Resampled, and moved, as they are: three products a draw, a gather a permutation."""
    statistics = fit.settings["statistics"]
    products = 6 * statistics["bootstraps"] / PRODUCTS_PER_SECOND
    moved = statistics["permutations"] * SECONDS_PER_MOVED if fit.moved else 0.0
    return float(fit.cells * (products + moved))


def _products(fit: Fit, seconds: float) -> float:
    return seconds * fit.share * fit.n_stimuli * fit.cells / (240**2 * 64)


def _of_cells(fit: Fit, seconds: float) -> float:
    return seconds * fit.slower(5) * fit.share * (fit.n_stimuli / 240) ** 2.5


def _decompositions(fit: Fit, inner_parts: int) -> int:
    """How many a fold needs of its training part and the parts within, for all but the jackknife.

    Once, where they are kept; else anew for each set of responses (see `principal_axes.Parts`).
    """
    parts = 1 + inner_parts
    if 2 * parts * fit.folds * fit.n_stimuli**2 * 8 <= KEPT_BYTES:
        return parts
    sets = 1 + fit.splits + -(-fit.permutations * fit.n_neuroids // NULL_COLUMNS)
    return parts * sets
