"""Dissimilarities in arrays of NumPy, MATLAB and HDF5 are what was written."""

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
from scipy.spatial.distance import pdist, squareform

from cortiscope.errors import InputError
from tests.recording_files import IDS, read, write_tables

CONDENSED = np.stack([pdist(np.random.default_rng(n).normal(size=(7, 9))) for n in range(4)])
SQUARE = np.stack([squareform(rdm) for rdm in CONDENSED])
OF_RDMS = {"variable": "dissimilarity"}


@pytest.fixture
def stimuli(tmp_path):
    return {"stimuli_table": write_tables(tmp_path)["stimuli_table"]} | OF_RDMS


@pytest.mark.parametrize("values", [SQUARE, CONDENSED, SQUARE[:1], CONDENSED[0], SQUARE[0]])
def test_one_array_of_matrices(tmp_path, stimuli, values):
    np.save(tmp_path / "rdms.npy", values)
    found = read(tmp_path / "rdms.npy", **stimuli)
    several = values.ndim > 1 and len(values) == 4
    np.testing.assert_array_equal(found["dissimilarity"], SQUARE if several else SQUARE[:1])
    assert found["stimulus_id"].values.tolist() == IDS.tolist()
    assert found["rdm_area"].values.tolist() == ["all"] * (4 if several else 1)
    assert found["rdm_subject"].values.tolist() == (["0", "1", "2", "3"] if several else [""])


@pytest.mark.parametrize("ending", ["mat", "npz", "h5", "v73"])
def test_arrays_are_areas_and_their_matrices_subjects(tmp_path, stimuli, ending):
    """As in the Algonauts' target_fmri.mat: EVC_RDMs and IT_RDMs (subject, stimulus, stimulus)."""
    path, arrays = tmp_path / f"target.{ending}", {"EVC_RDMs": SQUARE, "IT_RDMs": SQUARE[::-1]}
    if ending == "mat":
        scipy.io.savemat(path, arrays)
    elif ending == "npz":
        np.savez(path, **arrays)
    else:
        with h5py.File(path, "w", userblock_size=512 if ending == "v73" else 0) as file:
            for name, values in arrays.items():
                file[name] = values.T if ending == "v73" else values
        if ending == "v73":
            with path.open("rb+") as file:
                file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(128))
    found = read(path, **stimuli)
    np.testing.assert_array_equal(found["dissimilarity"], np.concatenate([SQUARE, SQUARE[::-1]]))
    assert found["rdm_area"].values.tolist() == ["EVC_RDMs"] * 4 + ["IT_RDMs"] * 4
    assert found["rdm_subject"].values.tolist() == ["0", "1", "2", "3"] * 2
    one = read(path, **stimuli, array="IT_RDMs")
    assert set(one["rdm_area"].values) == {"IT_RDMs"}


def test_a_table_names_areas_and_subjects(tmp_path, stimuli):
    np.save(tmp_path / "rdms.npy", CONDENSED)
    table = pd.DataFrame({"area": ["V1", "V1", "IT", "IT"], "subject": ["01", "02", "01", "02"]})
    table.to_csv(tmp_path / "areas.csv", index=False)
    path = str(tmp_path / "areas.csv")
    found = read(tmp_path / "rdms.npy", **stimuli, neuroids_table=path)
    assert found["rdm_area"].values.tolist() == table["area"].tolist()
    assert found["rdm_subject"].values.tolist() == table["subject"].tolist()
    table[1:].to_csv(tmp_path / "areas.csv", index=False)
    with pytest.raises(InputError, match=r"areas.csv: has 3 rows, where .* holds 4 matrices; giv"):
        read(tmp_path / "rdms.npy", **stimuli, neuroids_table=path)


def test_other_numbers_are_one_line(tmp_path, stimuli):
    np.save(tmp_path / "rdms.npy", np.zeros((3, 5)))
    with pytest.raises(InputError, match=r"holds no dissimilarities, but  \(3, 5\); give square"):
        read(tmp_path / "rdms.npy", **stimuli)
