"""Where a module's output has the stimuli, found by showing more of them: never assumed."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch


class Form(NamedTuple):
    """What a tensor looks like, without its values."""

    shape: tuple[int, ...]
    dtype: torch.dtype


class Place(NamedTuple):
    """Which tensor of an output has the stimuli, and along which of its axes."""

    tensor: int
    axis: int


def tensors(output: Any, first: Sequence[str] = ()) -> Iterator[torch.Tensor]:
    """All tensors of a module's output: of a tuple, dict or dataclass those inside, in order.

    Quantized, sparse and nested ones as the numbers that they stand for. first: names whose parts,
    in this order, come before others.
    """
    if isinstance(output, torch.Tensor):
        yield _plain(output)
        return
    parts = _parts(output)
    for name in (*first, *(name for name in parts if name not in first)):
        if name in parts:
            yield from tensors(parts[name], first)


def _plain(value: torch.Tensor) -> torch.Tensor:
    if value.is_quantized:
        return value.dequantize()
    if value.is_nested:  # what nn.TransformerEncoder makes of a mask
        return value.to_padded_tensor(0.0)
    return value if value.layout == torch.strided else value.to_dense()


def _parts(output: Any) -> Mapping[Any, Any]:
    """What a container holds, by name or number."""
    if isinstance(output, Mapping):  # such as outputs of transformers, dataclasses as well
        return output
    if isinstance(output, Sequence) and not isinstance(output, str | bytes):
        return output._asdict() if hasattr(output, "_asdict") else dict(enumerate(output))
    if dataclasses.is_dataclass(output) and not isinstance(output, type):
        return {part.name: getattr(output, part.name) for part in dataclasses.fields(output)}
    return {}


def forms(output: Any) -> list[Form]:
    return [Form(tuple(value.shape), value.dtype) for value in tensors(output)]


def stimulus_place(given: Mapping[int, Sequence[Form]]) -> Place | str:
    """The first floating-point or complex tensor of which exactly one axis follows the stimuli.

    given: what a module gives for so many stimuli, in one pass or, to be sure, in two. Returns why
    there is none, as the end of a sentence about the module, where there is none.
    """
    counts = tuple(given)
    if len({len(each) for each in given.values()}) > 1:
        found = " and ".join(f"{len(each)} for {n} stimuli" for n, each in given.items())
        return f"gives other numbers of tensors for more stimuli ({found})"
    problems = []
    for index, same in enumerate(zip(*given.values(), strict=True)):
        dtype = same[0].dtype
        if dtype.is_floating_point or dtype.is_complex:
            axis = _stimulus_axis(counts, [form.shape for form in same])
            if isinstance(axis, str):
                problems.append(axis)
            elif 0 in same[0].shape:
                problems.append("gives an empty tensor")
            else:
                return Place(index, axis)
    return problems[0] if problems else "gives no tensor of real or complex numbers"


def _stimulus_axis(counts: tuple[int, ...], shapes: Sequence[tuple[int, ...]]) -> int | str:
    """The one axis that is as long as there are stimuli, all others staying as they are."""
    written = " and ".join(
        f"{as_text(s)} for {n} stimuli" for n, s in zip(counts, shapes, strict=True)
    )
    changing = f"has a size that changes with what is shown ({written})"
    if len({len(shape) for shape in shapes}) > 1:
        return changing
    sizes = list(zip(*shapes, strict=True))
    moving = [axis for axis, along in enumerate(sizes) if len(set(along)) > 1]
    following = [axis for axis, along in enumerate(sizes) if along == counts]
    # Of a lone pass nothing moves; the first axis of the right length has to do.
    if following and moving in ([], following[:1]):
        return following[0]
    if not moving:
        return f"has no axis that follows the stimuli ({written})"
    rows = {size / n for n, size in zip(counts, sizes[moving[0]], strict=True)}
    if len(moving) == 1 and len(rows) == 1 and rows.pop().is_integer():
        return f"has stimuli and parts of them (patches, windows) on one axis ({written})"
    return changing


def as_text(shape: Sequence[int]) -> str:
    return "x".join(str(size) for size in shape)


def recorded_shape(form: Form, place: Place) -> tuple[int, ...]:
    """Of what `activations` gives for one stimulus."""
    rest = tuple(size for axis, size in enumerate(form.shape) if axis != place.axis)
    return (*rest, 2) if form.dtype.is_complex else rest


def activations(output: Any, place: Place) -> torch.Tensor:
    """(stimulus, ...), real: a complex number gives two, its real and its imaginary part."""
    value = list(tensors(output))[place.tensor].movedim(place.axis, 0)
    return torch.view_as_real(value.resolve_conj()) if value.is_complex() else value
