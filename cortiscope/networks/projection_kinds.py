"""What projections keep, and how they are fed: known when a study is read, without torch."""

from math import log

EXACT_LIMIT = 1024  # stimuli; up to here `auto` is lossless, the n x n Gram matrix being small
STREAMED_BATCH = 64  # stimuli a batch for projections that gain nothing from larger ones
FOLD_COMPONENTS = 4096  # 2 % rms error of squared distances; the error falls as 1/sqrt(components)


def resolve(kind: str, n_stimuli: int) -> str:
    """The projection itself, of `auto`."""
    if kind != "auto":
        return kind
    return "exact" if n_stimuli <= EXACT_LIMIT else "fold"


def fullest_batch(kind: str, n_stimuli: int) -> int:
    """The stimuli of a forward pass, where memory allows."""
    return n_stimuli if resolve(kind, n_stimuli) == "exact" else min(STREAMED_BATCH, n_stimuli)


def components_kept(kind: str, n_stimuli: int, n_features: int, components: int) -> int:
    """At most how many numbers are kept of a layer for each stimulus; components: as set, or 0."""
    kind = resolve(kind, n_stimuli)
    # Of `srp`, scikit-learn's Johnson-Lindenstrauss bound at its default error.
    bound = int(4 * log(n_stimuli) / (0.1**2 / 2 - 0.1**3 / 3))
    most = {
        "exact": n_stimuli,
        "fold": components or FOLD_COMPONENTS,
        "srp": components or bound,
        "none": n_features,
    }
    return min(n_features, most[kind])
