"""The tensors of a network in a file of weights as it was published.

Beside the network's own tensors such a file may hold its training, another network that was trained
with it, a projection that was thrown away; its names may begin with what the network was a part of.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from cortiscope.errors import InputError

State = Mapping[str, torch.Tensor]
DEPTH = 6  # of dictionaries in dictionaries
COMPILED = re.compile(r"\b_orig_mod\.")  # what torch's compiler puts before the names in its part
# Checkpoints of densenet and vision transformers keep names that torchvision itself renames when it
# loads them.
LEGACY = (
    (re.compile(r"^(.*denselayer\d+\.(?:norm|conv))\.([12]\.\w+)$"), r"\1\2"),
    (re.compile(r"^(.*\.mlp)\.linear_1\.(\w+)$"), r"\1.0.\2"),
    (re.compile(r"^(.*\.mlp)\.linear_2\.(\w+)$"), r"\1.3.\2"),
)
# Of two networks that were trained together, the one that their authors evaluate: of MoCo the first
# of a pair (He et al. 2020), of DINO the teacher (Caron et al. 2021).
EVALUATED = (("encoder_q", "encoder_k"), ("teacher", "student"))
WRONG = "use the weights of this architecture"
PARALLEL = "module."  # what torch's wrappers for several devices begin every name with
SAY_WHERE = "name its place in the columns weights_key and weights_prefix"


@dataclass(frozen=True)
class Place:
    """Where a file has a network: the key of a dictionary in it, with dots between; a prefix."""

    key: str = ""
    prefix: str = ""

    def __str__(self) -> str:
        return f"weights_key={self.key!r} weights_prefix={self.prefix!r}"


@dataclass(frozen=True)
class Found:
    """tensors: by the names that the network has for them; unused: all other names of the file;

    without: the modules that tell classes apart, of which the file has not all, or others;

    prefix: what the names of the file's tensors begin with.
    """

    tensors: State
    unused: list[str] = field(default_factory=list)
    without: tuple[str, ...] = ()
    prefix: str = ""


def dictionaries(content: Any, key: str = "", depth: int = DEPTH) -> Iterator[tuple[str, State]]:
    """All dictionaries of a file that hold tensors, by key; of those, the tensors alone."""
    if not isinstance(content, Mapping):
        return
    found = {str(name): value for name, value in content.items() if torch.is_tensor(value)}
    if found:
        yield key, found
    for name, value in content.items() if depth else ():
        yield from dictionaries(value, f"{key}.{name}" if key else str(name), depth - 1)


def fitted(
    content: Any,
    wanted: State,
    where: str,
    given: Place,
    unused: tuple[str, ...],
    heads: Callable[[], Collection[str]],
) -> Found:
    """The tensors of a file that a network wants, where the one place is that has them.

    content: of the file, dictionaries in dictionaries; wanted: the network's state_dict; given:
    what the models table says of the place; unused: what the names of tensors begin with that a
    file may hold and the network has not; heads: gives the modules that tell classes apart, which
    may be missing in a file, or be others.
    Raises InputError where there is no such place or several, and where a tensor of the network is
    missing or of another shape, or the file has more tensors of a part of the network.
    """
    state, place = _best(_held(content, wanted, where, given), wanted, where, given)
    renamed = {
        name(key.removeprefix(place.prefix), wanted): key
        for key in state
        if key.startswith(place.prefix)
    }
    taken = {
        key: state[old] for key, old in renamed.items() if not (unused and key.startswith(unused))
    }
    found = {key: value for key, value in taken.items() if key in wanted}
    # Counters of batches seen in training are of no use here, and old files lack them.
    missing = [key for key in wanted if key not in found and "num_batches_tracked" not in key]
    misfits = [key for key, value in found.items() if value.shape != wanted[key].shape]
    more = [key for key in taken if key not in wanted]
    without: tuple[str, ...] = ()
    if missing or misfits or more:
        without = tuple(
            head for head in heads() if any(_of(key, [head]) for key in (*missing, *misfits))
        )
        found = {key: value for key, value in found.items() if not _of(key, without)}
        missing, misfits, more = (
            [key for key in keys if not _of(key, without)] for keys in (missing, misfits, more)
        )
    # Beside the network in its place, other parts may have been trained.
    apart = place.prefix not in ("", PARALLEL) or given != Place()
    parts = {key.partition(".")[0] for key in wanted}
    more = [key for key in more if not apart or key.partition(".")[0] in parts]
    _check(missing, more, misfits, found, wanted, where)
    used = {renamed[key] for key in found}
    return Found(found, [key for key in state if key not in used], without, place.prefix)


def _held(content: Any, wanted: State, where: str, given: Place) -> list[tuple[str, State]]:
    """The dictionaries that a network may be in, without what torch's compiler adds to names."""
    every = dict(dictionaries(content))
    if given.key and given.key not in every:
        keys = ", ".join(filter(None, every)) or "none"
        raise InputError(where, f"has no tensors at key {given.key!r}", f"keys: {keys}")
    return [
        (key, {k if k in wanted else COMPILED.sub("", k): value for k, value in state.items()})
        for key, state in every.items()
        if given.key in ("", key)
    ]


def _check(
    missing: list[str], more: list[str], misfits: list[str], found: State, wanted: State, where: str
) -> None:
    if missing:
        raise InputError(where, f"lacks {len(missing)} tensors, first {missing[0]}", WRONG)
    if more:
        raise InputError(where, f"holds {len(more)} unknown tensors, first {more[0]}", WRONG)
    if misfits:
        given, taken = (tuple(of[misfits[0]].shape) for of in (found, wanted))
        raise InputError(where, f"{misfits[0]} is {given}, the network's is {taken}", WRONG)


def _best(
    held: Sequence[tuple[str, State]], wanted: State, where: str, given: Place
) -> tuple[State, Place]:
    """The dictionary and prefix with most of the network's tensors."""
    fits: dict[Place, int] = {}
    states = dict(held)
    for key, state in held:
        if all(name(tensor, wanted) in wanted for tensor in state):
            fits[Place(key)] = len(state)  # names may end alike: what fits as it is, is meant so
            continue
        counts = Counter(_prefixes(state, wanted))
        fits |= {Place(key, prefix): number for prefix, number in counts.items()}
    if given.prefix:
        fits = {place: number for place, number in fits.items() if place.prefix == given.prefix}
    if not fits and given == Place():
        return held[0][1], Place(held[0][0])  # of which all is missing
    if not fits:
        some = ", ".join(list(held[0][1])[:3])
        problem = f"holds none of the network's tensors, but such as {some}"
        raise InputError(where, problem, f"{WRONG}, or {SAY_WHERE}")
    most = max(fits.values())
    best = [place for place, number in fits.items() if number == most]
    for place in best[1:]:
        if _preferred(place, best[0]) or (
            len(place.prefix) < len(best[0].prefix) and _same(place, best[0], states)
        ):
            best[0] = place
    others = [
        place
        for place in best[1:]
        if place != best[0] and not _preferred(best[0], place) and not _same(place, best[0], states)
    ]
    if others and 2 * most > len(wanted):
        problem = f"holds such a network at {best[0]} and at {others[0]}"
        raise InputError(where, problem, SAY_WHERE)
    return states[best[0].key], best[0]


def _prefixes(state: State, wanted: State) -> Iterator[str]:
    """Of each tensor of a dictionary, what stands before each of the network's names that it may
    be, if it has that one's shape.
    """
    shapes = {key: value.shape for key, value in wanted.items()}
    for given, value in state.items():
        for key in {given, _renamed(given)}:
            parts = key.split(".")
            for start in range(len(parts)):
                if shapes.get(".".join(parts[start:])) == value.shape:
                    yield "".join(f"{part}." for part in parts[:start])


def _preferred(one: Place, other: Place) -> bool:
    """Whether one place is that of the network of a pair that is evaluated."""
    names, others = (
        [part for part in f"{place.key}.{place.prefix}".split(".") if f"{part}." != PARALLEL]
        for place in (one, other)
    )
    return any(
        [second if part == first else part for part in names] == others
        for first, second in EVALUATED
    )


def _same(one: Place, other: Place, states: Mapping[str, State]) -> bool:
    """Whether the tensors at two places are the same, as where a file has a network twice."""
    here, there = (
        {
            key.removeprefix(place.prefix): value
            for key, value in states[place.key].items()
            if key.startswith(place.prefix)
        }
        for place in (one, other)
    )
    shared = here.keys() & there.keys()
    return bool(shared) and all(torch.equal(here[key], there[key]) for key in shared)


def name(key: str, wanted: Collection[str]) -> str:
    """What the network calls a tensor of a file."""
    return key if key in wanted else _renamed(key)


def _renamed(key: str) -> str:
    for pattern, new in LEGACY:
        key = pattern.sub(new, key)
    return key


def _of(key: str, modules: Collection[str]) -> bool:
    """Whether a tensor is of one of these modules."""
    return any(key.startswith(f"{module}.") for module in modules)


def grouped(names: Collection[str], prefix: str = "") -> str:
    """Tensors of a file as text, those of one part together: `module.encoder_k (320)`."""
    counts: Counter[str] = Counter()
    for key in names:
        start = len(prefix) if key.startswith(prefix) else 0
        counts[key[:start] + ".".join(key[start:].split(".")[: 1 if start else 2])] += 1
    return ", ".join(f"{part} ({n})" if n > 1 else part for part, n in counts.items())
