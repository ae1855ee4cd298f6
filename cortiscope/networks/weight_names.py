"""Weights that have a name, by which they are fetched, as the models table has them."""


def is_named(weights: str) -> bool:
    """Whether weights are a name that their source knows, not a file and not `none`."""
    return weights != "none" and "/" not in weights and "." not in weights


ENDINGS = ("bin", "ckpt", "npz", "pt", "pth", "safetensors", "tar")  # of files of weights


def without_architecture(weights: str, architecture: str) -> str:
    """Of a full name, such as timm's `resnet50.a1_in1k`, what follows the architecture."""
    name = weights.removeprefix(f"{architecture.partition('.')[0]}.")
    return name if is_named(name) and name not in ENDINGS else weights
