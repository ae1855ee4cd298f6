"""From events to responses: spikes, traces and bins of time, in a window after each onset.

`responses.window`, `baseline` and `statistic` of the config mean the same of all of them: of what
was recorded from `window[0]` (included) to `window[1]` (excluded) seconds after onset, less the
mean of `baseline`, the mean, the sum or the peak. Of spikes the mean is a rate in Hz, the sum a
count.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError

FIELD = "config: responses.window"
READS = ("window", "baseline", "statistic")
# Windows beyond so many presentations are of another unit: milliseconds are a thousand.
FARTHEST = 50
ROUNDING = 1e-9  # seconds
AT_ONCE = 2**24  # numbers that are read at a time
REDUCE: Mapping[str, Callable[..., Any]] = {"mean": np.mean, "sum": np.sum, "peak": np.max}


@dataclass(frozen=True)
class Window:
    """In seconds after onset, from and up to; baseline: the same, None where there is none."""

    start: float
    end: float
    baseline: tuple[float, float] | None
    statistic: str

    @classmethod
    def of(cls, section: Mapping[str, Any], onsets: NDArray | None = None) -> "Window":
        """As the config has it. onsets: (presentation,) in seconds, to see whether it can be so.

        Errors: InputError for none, for one that ends before it begins, or in another unit.
        """
        if not section.get("window"):
            remedy = "write seconds after onset, such as responses.window: [0.07, 0.17]"
            raise InputError(FIELD, "is missing, and the recording is of events in time", remedy)
        for entry in ("window", "baseline"):
            spans = section.get(entry) or ()
            if spans and not spans[0] < spans[1]:
                where = f"config: responses.{entry}"
                raise InputError(where, f"{list(spans)} ends before it begins", "give [from, to]")
            if onsets is not None and len(onsets) > 1:
                _check_unit(entry, spans, float(np.median(np.diff(np.sort(onsets)))))
        baseline = tuple(map(float, section.get("baseline") or ()))
        start, end = map(float, section["window"])
        return cls(
            start, end, (baseline[0], baseline[1]) if baseline else None, _statistic(section)
        )

    @property
    def spans(self) -> list[tuple[float, float]]:
        """The window and, where there is one, the baseline."""
        return [(self.start, self.end), *([self.baseline] if self.baseline else [])]


def _statistic(section: Mapping[str, Any]) -> str:
    return str(section.get("statistic", "mean"))


def _check_unit(entry: str, spans: Sequence[float], interval: float) -> None:
    if spans and interval > 0 and max(map(abs, spans)) > FARTHEST * interval:
        problem = f"{list(spans)} s, where presentations follow each other by {interval:g} s"
        raise InputError(f"config: responses.{entry}", problem, "give it in seconds")


def of_spikes(
    times: Iterable[NDArray], n_units: int, onsets: NDArray, section: Mapping[str, Any]
) -> NDArray:
    """(presentation, unit) of the times of each unit's spikes, in seconds as the onsets are."""
    window = Window.of(section, onsets)
    if window.statistic == "peak":
        remedy = "use mean (a rate) or sum (a count)"
        raise InputError("config: responses.statistic", "spikes have no peak", remedy)
    width = window.end - window.start
    response = np.empty((len(onsets), n_units))
    for unit, own in enumerate(times):
        ordered = np.sort(own)
        counts = [
            np.searchsorted(ordered, onsets + end) - np.searchsorted(ordered, onsets + start)
            for start, end in window.spans
        ]
        response[:, unit] = counts[0]
        if window.baseline:
            before = window.baseline[1] - window.baseline[0]
            response[:, unit] -= counts[1] * (width / before)
    return response if window.statistic == "sum" else response / width


def of_traces(
    traces: NDArray, times: NDArray, onsets: NDArray, section: Mapping[str, Any]
) -> NDArray:
    """(presentation, neuroid) of traces (time, neuroid), NaN where the window passes their ends.

    times: (time,), when they were sampled, in seconds as the onsets are, in order.
    Errors: InputError where no sample lies in a window.
    """
    window = Window.of(section, onsets)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    whole = [
        (onsets + start >= times[0] - ROUNDING) & (onsets + end <= times[-1] + step + ROUNDING)
        for start, end in window.spans
    ]
    response = np.full((len(onsets), traces.shape[1]), np.nan)
    for place in np.flatnonzero(np.logical_and.reduce(whole)):
        parts = []
        for start, end in window.spans:
            first, last = np.searchsorted(times, onsets[place] + np.array([start, end]) - ROUNDING)
            if first == last:
                problem = (
                    f"[{start:g}, {end:g}] s holds no sample, of which there is one in {step:g} s"
                )
                raise InputError(FIELD, problem, "widen it")
            parts.append(traces[first:last].astype(np.float64))
        response[place] = _reduced(parts, window.statistic, axis=0)
    return response


def _reduced(parts: Sequence[NDArray], statistic: str, axis: int) -> NDArray:
    """The statistic of the first part, less the mean of the second where there is one."""
    values = parts[0]
    if len(parts) > 1:
        values = values - parts[1].mean(axis=axis, keepdims=True)
    return np.asarray(REDUCE[statistic](values, axis=axis))


class Binned:
    """Trials (presentation, neuroid, bin) as (presentation, neuroid), of the bins in a window."""

    dtype = np.dtype(np.float64)

    def __init__(self, trials: Any, bins: NDArray, section: Mapping[str, Any], path: str) -> None:
        """bins: (bin, side), where each starts and ends, in seconds."""
        self.trials, self.shape = trials, tuple(trials.shape[:2])
        window = Window.of(section)
        self.statistic = window.statistic
        self.parts = [_within(bins, span, path) for span in window.spans]

    def __getitem__(self, place: Any) -> NDArray:
        n_trials, n_neuroids, n_bins = self.trials.shape
        found = np.empty(self.shape, self.dtype)
        step = max(1, AT_ONCE // max(1, n_neuroids * n_bins))
        for start in range(0, n_trials, step):
            some = slice(start, min(start + step, n_trials))
            values = np.asarray(self.trials[some, 0:n_neuroids, 0:n_bins]).astype(np.float64)
            parts = [values[:, :, part] for part in self.parts]
            found[some] = _reduced(parts, self.statistic, axis=2)
        return np.asarray(found[place])


def _within(bins: NDArray, span: tuple[float, float], path: str) -> NDArray:
    """The numbers of the bins that lie within a span."""
    start, end = span
    inside = (bins[:, 0] >= start - ROUNDING) & (bins[:, 1] <= end + ROUNDING)
    chosen = np.flatnonzero(inside)
    if not len(chosen):
        problem = f"[{start:g}, {end:g}] s holds no bin of {path}"
        runs = f"those run from {bins[:, 0].min():g} to {bins[:, 1].max():g} s"
        raise InputError(FIELD, f"{problem}; {runs}", "give seconds after onset")
    ordered = chosen[np.argsort(bins[chosen, 0])]
    if (bins[ordered[1:], 0] < bins[ordered[:-1], 1] - ROUNDING).any():
        problem = f"[{start:g}, {end:g}] s holds bins of {path} that overlap"
        raise InputError(FIELD, problem, "leave it out: each bin is an area of its own then")
    return ordered
