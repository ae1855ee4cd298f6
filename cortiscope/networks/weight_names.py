"""Weights that have a name, by which they are fetched, as the models table has them."""


def is_named(weights: str) -> bool:
    """Whether weights are a name that their source knows, not a file and not `none`."""
    return weights != "none" and "/" not in weights and "." not in weights
