"""The mappings there are, what each depends on, and whether it scores layers singly or together.

Each is a module of `cortiscope.mappings`; only the one asked for is imported, so that an edit of
one mapping reruns none of the others.
"""

from dataclasses import dataclass

# The name, in score files and tables, of all layers of a model together.
TOGETHER = "all layers"


@dataclass(frozen=True)
class Kind:
    """sections: of the config that it reads; an edit elsewhere reruns none of its fits.

    joint: all layers of a model get one score together, and each a weight in it.
    """

    sections: tuple[str, ...]
    joint: bool = False


MAPPINGS = {
    "ridge": Kind(("cross_validation", "ridge", "selection", "statistics")),
    "rsa": Kind(("selection", "statistics")),
}
