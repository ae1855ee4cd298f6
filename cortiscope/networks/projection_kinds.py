"""Which projection `auto` is: known when a study is read, where torch is not imported."""

EXACT_LIMIT = 1024  # stimuli; up to here `auto` is lossless, the n x n Gram matrix being small


def resolve(kind: str, n_stimuli: int) -> str:
    """The projection itself, of `auto`."""
    if kind != "auto":
        return kind
    return "exact" if n_stimuli <= EXACT_LIMIT else "fold"
