"""Responses with a time axis: every time bin scored in one pass.

A time bin of a sensor is a target like any other, so that time is folded into the columns, all
columns share the decompositions of the features, and the scores are unfolded again (time-resolved
encoding; Cichy et al. 2016, Sci Rep 6:27755, for RSA).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope import ridge, rsa
from cortiscope.statistics import weighted_mean


@dataclass(frozen=True)
class TimeCourse:
    """score: (time, sensor), held out; area_score: (time,), the mean over sensors.

    NaN: a response that is constant or missing, and a bin without any other.
    """

    score: NDArray
    area_score: NDArray


def folded(response: NDArray) -> NDArray:
    """(stimulus, time, sensor) -> (stimulus, time * sensor), the sensors of a time bin together."""
    return response.reshape(len(response), -1)


def unfolded(scores: NDArray, n_times: int) -> NDArray:
    """(..., time * sensor) -> (..., time, sensor)."""
    return scores.reshape(*scores.shape[:-1], n_times, scores.shape[-1] // n_times)


def ridge_time_course(
    kernel: NDArray, response: NDArray, folds: NDArray, alphas: NDArray, weight: NDArray
) -> TimeCourse:
    """Held-out correlation of every sensor in every time bin, by one nested ridge.

    kernel (stimulus, stimulus) from `ridge.kernel`; response (stimulus, time, sensor); folds
    (stimulus,); weight (sensor,). See `ridge.predict` and `ridge.fold_centred_correlation`.
    """
    targets = folded(response)
    predicted = ridge.predict(kernel, targets, folds, alphas)
    score = ridge.fold_centred_correlation(predicted, targets, folds)
    by_time = unfolded(score, response.shape[1])
    return TimeCourse(by_time, weighted_mean(by_time, weight))


def rsa_time_course(models: NDArray, response: NDArray) -> NDArray:
    """Spearman of the RDMs of layers (layer, cell) with that of the sensors in each time bin.

    response (stimulus, time, sensor); sensors that miss a response in a bin are left out of it.
    Returns (layer, time); NaN for a bin without two such sensors or with a flat pattern.
    """
    brain = [rsa.pearson_rdm(response[:, time]) for time in range(response.shape[1])]
    return rsa.ranks(models) @ rsa.ranks(np.array(brain)).T  # (layer, cell) x (cell, time)


def peak_time(course: NDArray, time: NDArray) -> NDArray:
    """The time of the highest score: course (..., time), time (time,); NaN without any score."""
    known = np.isfinite(course)
    latency = np.asarray(time, dtype=float)[np.where(known, course, -np.inf).argmax(axis=-1)]
    return np.where(known.any(axis=-1), latency, np.nan)
