"""What is not independent is one line and one row of each kind, with examples and a remedy."""

import csv
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cortiscope.experiment import independence
from cortiscope.experiment.rdms import recording_of_rdms
from tests.experiment.test_drift import slow

N = 40
IDS = np.array([f"s{number:02d}" for number in range(N)])


def recording(response: NDArray, **about: list[str]) -> xr.Dataset:
    dims = ("stimulus", "repetition", "neuroid") if response.ndim == 3 else ("stimulus", "neuroid")
    names = [f"n{number}" for number in range(response.shape[-1])]
    coordinates = {"area": ["IT"] * len(names), "neuroid_id": names} | about
    return xr.Dataset(
        {"response": (dims, response)},
        coords={"stimulus_id": ("stimulus", IDS)}
        | {name: ("neuroid", values) for name, values in coordinates.items()},
    )


def shown(**about: NDArray) -> xr.Dataset:
    return xr.Dataset(
        coords={"stimulus_id": ("stimulus", IDS)}
        | {name: ("stimulus", values) for name, values in about.items()}
    )


def found(recorded: xr.Dataset, stimuli: xr.Dataset | None = None) -> list[independence.Finding]:
    copies = independence.neuroid_copies(recorded)
    seen = shown() if stimuli is None else stimuli
    return list(independence.of_recording(recorded, seen, copies))


def test_an_honest_recording_gives_no_word() -> None:
    random = np.random.default_rng(0)
    assert found(recording(random.normal(size=(N, 12)))) == []
    assert found(recording(random.normal(size=(N, 3, 12)))) == []


def test_copied_neuroids_and_subjects_are_named() -> None:
    response = np.random.default_rng(0).normal(size=(N, 6))
    twice = recording(np.hstack([response, response]), subject=list("aaabbbcccddd"))
    subjects, neuroids = found(twice)
    assert subjects.count == 2
    assert "c as a, d as b" in subjects.line
    assert neuroids.count == 6
    assert "6 of 12, such as n6 as n0" in neuroids.line


def test_a_subject_twice_in_rdms_is_named() -> None:
    random = np.random.default_rng(0)
    rdms = np.stack([1 - np.corrcoef(random.normal(size=(N, 30))) for _ in range(3)])
    areas, subjects = np.full(6, "IT"), np.array(["s1", "s2", "s3", "s4", "s5", "s6"])
    twice = recording_of_rdms(np.concatenate([rdms, rdms]), areas, subjects, IDS)
    (finding,) = found(twice)
    assert finding.count == 3
    assert "s4 in IT as s1" in finding.line
    assert found(recording_of_rdms(rdms, areas[:3], subjects[:3], IDS)) == []


def test_copied_repetitions_are_named() -> None:
    response = np.random.default_rng(0).normal(size=(N, 3, 12))
    response[5, 2] = response[5, 0]
    (finding,) = found(recording(response))
    assert (finding.count, finding.total) == (1, 3 * N)
    assert "2 as 0 of s05" in finding.line


def test_a_drift_names_a_stretch_and_a_sorted_file_its_reason() -> None:
    random = np.random.default_rng(0)
    (finding,) = found(recording(slow(N, 60, 0.8, random)))
    assert "cross_validation.block" in finding.remedy
    category = np.repeat(np.array(list("abcd")), N // 4)
    response = random.normal(size=(4, 60)).repeat(N // 4, 0) + random.normal(size=(N, 60))
    (finding,) = found(recording(response), shown(category=category))
    assert "sorted by category" in finding.remedy
    assert "block" not in finding.remedy


def test_the_table_has_a_row_of_each(tmp_path: Path) -> None:
    exact = np.array([0, 1, 0, 3, 4])
    nearly = np.array([0, 1, 0, 1, 4])
    findings = list(independence.of_pictures(np.array(list("abcde")), exact, nearly))
    independence.write(findings, str(tmp_path / "found.csv"))
    with (tmp_path / "found.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [(row["count"], row["total"], row["examples"]) for row in rows] == [
        ("1", "5", "c as a"),
        ("1", "5", "d as b"),
    ]
    assert all("cross_validation.group: picture" in row["remedy"] for row in rows)
