"""What a row of the models table leaves open: how a network was trained, what it sees, its family.

No job imports this, so that an edit here, or a further source of networks, extracts nothing anew.
"""

from collections.abc import Iterable, Mapping

from cortiscope.errors import InputError
from cortiscope.networks.sources.kinds import kind_of
from cortiscope.networks.weight_names import is_named, without_architecture

Row = Mapping[str, str]
DEFAULT = "DEFAULT"  # torchvision's name for the newest weights of an architecture


def training(model: Row) -> str:
    """What a row says, or else its weights do: `trained`, `untrained`; `features` of no network."""
    if not kind_of(model).network:
        return model.get("training") or "features"
    followed = "untrained" if model["weights"] == "none" else "trained"
    return model.get("training") or followed


def weights(model: Row) -> str:
    """The weights of a row as all else knows them: of a full name only what tells weights apart."""
    given = model["weights"]
    full = kind_of(model).full_names
    return without_architecture(given, model["architecture"]) if full else given


def preprocessing(model: Row, table: Iterable[Row]) -> str:
    """What a row of the models table says of its preprocessing, or else its trained twins do.

    The `auto` of an untrained network is what the trained rows of its architecture (in its family,
    where there are such) are shown, since contrasts are of training alone; still `auto` where there
    are none, or these say `auto` and have it from no name of weights.
    Errors: InputError where they are not all shown the same.
    """
    given = model["preprocessing"]
    if (given, training(model)) != ("auto", "untrained"):
        return given
    trained = [row for row in table if _is_trained_as(row, model)]
    related = [row for row in trained if family(row) == family(model)]
    shown = sorted({_shown(row) for row in related or trained})
    if len(shown) > 1:
        raise InputError(
            f"models table: {model['model']}: preprocessing",
            f"trained rows of {model['architecture']} have {' and '.join(map(repr, shown))}",
            "write one of them in this cell",
        )
    return "auto" if shown in ([], [DEFAULT]) else shown[0]


def _is_trained_as(row: Row, model: Row) -> bool:
    alike = all(row[column] == model[column] for column in ("source", "architecture"))
    return alike and training(row) == "trained"


def family(row: Row) -> str:
    """What a row of the models table says, or else its architecture alone."""
    return row.get("family") or row["architecture"]


def _shown(row: Row) -> str:
    """What the preprocessing of a trained row comes from, as the column would say it."""
    if row["preprocessing"] != "auto" or not kind_of(row).named_weights:
        return row["preprocessing"]
    return row["weights"] if is_named(row["weights"]) else DEFAULT
