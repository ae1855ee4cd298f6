"""What the column `weights` of the models table may say.

Apart from `layer_tables`, so that an edit there extracts no features anew.
"""


def is_named(weights: str) -> bool:
    """Whether weights are a name that torchvision knows, not a file and not `none`."""
    return weights != "none" and "/" not in weights and "." not in weights
