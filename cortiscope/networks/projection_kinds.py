"""What projections keep, and how they are fed: known when a study is read, without torch.

`auto` is chosen by what `exact` would cost, and never by what a run measures, so that the plan of a
study knows what will be kept. It depends on the stimuli and the layers of that model alone: a model
that joins a study changes nothing of the others.
"""

from collections.abc import Iterable
from math import log

# Of `auto`: more stimuli are never projected exactly, all of whose activations would have to be in
# memory together; and of fewer, not where their products would take one core more than 5 s.
EXACT_LIMIT = 1024
EXACT_PRODUCTS = 3e11
STREAMED_BATCH = 64  # stimuli a batch for projections that gain nothing from larger ones
# The rms error of squared distances is sqrt(2 / components): 1 % where the folded features are
# turned into n + 1 numbers and cost no more than those; 2.2 % where all would be stored and fitted.
FINE, COARSE = 20_000, 4096


def resolve(kind: str, n_stimuli: int, n_features: Iterable[int]) -> str:
    """The projection itself, of `auto`; n_features: of each layer that is recorded."""
    if kind != "auto":
        return kind
    cheap = n_stimuli**2 * sum(n_features) <= EXACT_PRODUCTS
    return "exact" if n_stimuli <= EXACT_LIMIT and cheap else "fold"


def fullest_batch(kind: str, n_stimuli: int) -> int:
    """The stimuli of a forward pass, where memory allows; kind: resolved."""
    return n_stimuli if kind == "exact" else min(STREAMED_BATCH, n_stimuli)


def components_asked(kind: str, n_stimuli: int, components: int | str | None) -> int:
    """How many a random projection makes; components: as set, or `auto` (also None).

    0, of `srp`, leaves it to scikit-learn; of `fold` it is as `auto`.
    """
    if components in ("auto", None) or (kind == "fold" and not components):
        return FINE if kind == "fold" and n_stimuli <= EXACT_LIMIT else COARSE
    return int(components or 0)


def is_turned(n_stimuli: int, components: int) -> bool:
    """Whether folded features are written as n + 1 coordinates, without loss.

    Which takes products of all stimuli and an eigendecomposition: of many more than it saves.
    """
    return n_stimuli <= EXACT_LIMIT and n_stimuli + 1 < components


def components_kept(kind: str, n_stimuli: int, n_features: int, components: int | str) -> int:
    """At most how many numbers are kept of a layer for each stimulus; components: as set.

    kind: resolved, or `auto`, for as many as either of its choices may keep.
    """
    if kind == "exact":
        most = n_stimuli
    elif kind in ("fold", "auto"):
        most = min(components_asked("fold", n_stimuli, components), n_features)
        most = n_stimuli + 1 if is_turned(n_stimuli, most) else most
    elif kind == "srp":
        # scikit-learn's Johnson-Lindenstrauss bound at its default error.
        bound = int(4 * log(n_stimuli) / (0.1**2 / 2 - 0.1**3 / 3))
        most = components_asked(kind, n_stimuli, components) or bound
    else:
        most = n_features
    return min(n_features, most)
