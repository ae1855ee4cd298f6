"""Which properties of the stimuli a study decodes, and what a job of that depends on."""

from collections.abc import Mapping
from typing import Any

from cortiscope.errors import InputError
from cortiscope.experiment.formats import SIMULATED
from cortiscope.experiment.readers.simulated_stimuli import PROPERTIES

FIELD = "config: decoding.properties"


def properties(config: Mapping[str, Any]) -> dict[str, str | float]:
    """Property to how it is read, in the order of the config, whose defaults are filled in.

    How: `discrete`, `continuous`, the period of an angle in its own unit, or `by value`: text and
    whole numbers are discrete, other numbers continuous.
    Errors: InputError for a property that is named twice.
    """
    asked = config["decoding"]["properties"]
    if asked == "auto":
        asked = PROPERTIES if config["stimuli"]["source"] == SIMULATED else ()
    found: dict[str, str | float] = {}
    for entry in asked:
        name, how = (entry, "by value") if isinstance(entry, str) else next(iter(entry.items()))
        if name in found:
            raise InputError(FIELD, f"{name!r} stands twice", "name it once")
        found[name] = how
    return found


def decoding_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a readout depends on: an edit of any other reruns none.

    config: in one form (see `Study.section`), its defaults filled in.
    """
    read = {"ridge": ("alphas",), "statistics": ("permutations", "seed")}
    settings = {name: {key: config[name][key] for key in keys} for name, keys in read.items()}
    validation = config["cross_validation"]
    return settings | {"cross_validation": validation, "properties": properties(config)}


def readout_memory(n_stimuli: int, kept: int) -> int:
    """Megabytes to read out of one layer or area: its features, and some tens of kernels.

    kept: features of a stimulus.
    """
    return 1000 + (3 * n_stimuli * kept + 24 * n_stimuli**2) * 8 // 10**6


def readout_minutes(n_stimuli: int, n_readouts: int, permutations: int) -> int:
    """Minutes to allow so many readouts, of a property from a layer: ten times what they took."""
    seconds = 3e-9 * n_stimuli**3 + 1e-8 * n_stimuli**2 * permutations
    return 10 + int(n_readouts * seconds / 6)
