"""Responses in plain arrays of NumPy, MATLAB and HDF5 are what was written."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io

from cortiscope.errors import InputError
from cortiscope.experiment.formats import find
from tests.recording_files import AREAS, DEPTHS, IDS, check, read, responses, write_tables


def write_npy(path, values):
    np.save(path.with_suffix(".npy"), values)
    return path.with_suffix(".npy")


def write_npz(path, values):
    np.savez_compressed(path.with_suffix(".npz"), betas=values, seed=np.array(3))
    return path.with_suffix(".npz")


def write_mat5(path, values):
    scipy.io.savemat(path.with_suffix(".mat"), {"betas": values}, do_compression=True)
    return path.with_suffix(".mat")


def write_mat73(path, values):
    """As MATLAB does: a header of 512 bytes, and axes in its own order."""
    path = path.with_suffix(".mat")
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("betas", data=values.T).attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("rb+") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + bytes(8) + b"\0\2IM")
    return path


def write_hdf5(path, values):
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        file["subject/betas"] = values
    return path.with_suffix(".h5")


WRITERS = [write_npy, write_npz, write_mat5, write_mat73, write_hdf5]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_values_and_tables_are_kept(tmp_path, write, dtype):
    values = responses(dtype)
    path = write(tmp_path / "betas", values)
    check(read(path, **write_tables(tmp_path)), values)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("order", [(2, 0, 1), (1, 2, 0), (0, 2, 1)])
def test_axes_are_found_by_the_tables(tmp_path, write, order):
    values = responses()
    path = write(tmp_path / "betas", np.asfortranarray(values.transpose(order)))
    check(read(path, **write_tables(tmp_path)), values)


@pytest.mark.parametrize("write", WRITERS)
def test_whole_numbers_without_repetitions(tmp_path, write):
    counts = np.random.default_rng(1).integers(-300, 300, (len(IDS), 5), dtype=np.int16)
    path = write(tmp_path / "betas", counts)
    found = read(path, **write_tables(tmp_path))
    check(found, counts)
    assert "repetition" not in found.dims


@pytest.mark.parametrize("write", WRITERS)
def test_presentations_become_repetitions(tmp_path, write):
    """Of a table in which ids stand several times, in any order, and unequally often."""
    order = np.random.default_rng(2).permutation(np.repeat(np.arange(7), 3))[:-2]
    trials = np.arange(len(order) * 5, dtype=np.float32).reshape(-1, 5)
    tables = write_tables(tmp_path)
    pd.DataFrame({"stimulus_id": IDS[order]}).to_csv(tables["stimuli_table"], index=False)
    found = read(write(tmp_path / "betas", trials), shown=IDS, **tables)
    for stimulus in range(7):
        own = trials[order == stimulus]
        repetitions = found["response"].sel(stimulus=stimulus).transpose("repetition", "neuroid")
        np.testing.assert_array_equal(repetitions[: len(own)], own)
        assert np.isnan(repetitions[len(own) :]).all()


def test_an_archive_may_hold_its_coordinates(tmp_path):
    values, about = responses(), {"area": AREAS, "depth": DEPTHS, "stimulus_id": IDS}
    names = np.array(["00", "01", "02", "03", "04"])
    np.savez(tmp_path / "betas.npz", response=values, neuroid_id=names, other=values, **about)
    check(read(tmp_path / "betas.npz"), values)


def test_a_matlab_file_may_hold_its_coordinates(tmp_path):
    """Texts in cells, numbers in rows or columns."""
    values = responses(np.float64)
    cells = np.empty((1, 7), object)
    cells[0] = list(IDS)
    areas = np.empty((5, 1), object)
    areas[:, 0] = list(AREAS)
    arrays = {"betas": values, "stimulus_id": cells, "area": areas, "depth": DEPTHS, "tr": 1.6}
    scipy.io.savemat(tmp_path / "betas.mat", arrays)
    found = read(tmp_path / "betas.mat")
    check(found, values, neuroids=False)
    assert found["area"].values.tolist() == AREAS.tolist()
    np.testing.assert_array_equal(found["depth"], DEPTHS)


def test_cells_of_a_new_matlab_file_are_read(tmp_path):
    path = write_mat73(tmp_path / "betas", responses(np.float64))
    with h5py.File(path, "r+") as file:
        for name, words in (("stimulus_id", IDS), ("area", AREAS)):
            cells = file.create_dataset(name, (1, len(words)), h5py.ref_dtype)
            cells.attrs["MATLAB_class"] = np.bytes_("cell")
            for place, word in enumerate(words):
                codes = np.frombuffer(word.encode("utf-16-le"), "<u2")[:, None]
                text = file.create_dataset(f"#refs#/{name}{place}", data=codes)
                text.attrs["MATLAB_class"] = np.bytes_("char")
                cells[0, place] = text.ref
    found = read(path)
    check(found, responses(np.float64), neuroids=False)
    assert found["area"].values.tolist() == AREAS.tolist()


def test_one_area_where_nothing_tells_neuroids_apart(tmp_path):
    tables = {"stimuli_table": write_tables(tmp_path)["stimuli_table"]}
    path = write_npy(tmp_path / "betas", responses())
    assert set(read(path, **tables)["area"].values) == {"all"}


def test_the_order_may_be_given(tmp_path):
    """Where there are as many neuroids as stimuli."""
    values = np.random.default_rng(3).normal(size=(7, 7)).astype(np.float32)
    tables = write_tables(tmp_path)
    names = pd.DataFrame({"neuroid_id": range(7), "area": "IT"})
    names.to_csv(tables["neuroids_table"], index=False)
    path = write_npy(tmp_path / "betas", values)
    with pytest.raises(InputError, match=r"which 7 stimuli and 7 neuroids do not tell apart; wri"):
        read(path, **tables)
    found = read(path, dims=["neuroid", "stimulus"], **tables)
    check(found, values.T, neuroids=False)


def test_formats_are_seen_in_files_of_any_name(tmp_path):
    for write in WRITERS:
        path = write(tmp_path / "betas", responses())
        path.rename(tmp_path / "betas.dat")
        expected = {".npy": "numpy_arrays", ".npz": "numpy_arrays", ".h5": "hdf5_arrays"}
        expected[".mat"] = "matlab" if write is write_mat5 else "hdf5_arrays"
        assert find("responses", [str(tmp_path / "betas.dat")]).__name__.endswith(
            expected[path.suffix]
        )


@pytest.mark.parametrize("version", ["6.1_SOL2", "6.5.1_GLNX86", "7.1_GLNX86", "7.4_GLNX86"])
def test_files_that_matlab_wrote(tmp_path, version):
    """Files that SciPy ships, of several versions and both orders of bytes, hold 1 to 24."""
    folder = Path(scipy.io.__file__).parent / "matlab" / "tests" / "data"
    path = folder / f"test3dmatrix_{version}.mat"
    pd.DataFrame({"stimulus_id": list("abc")}).to_csv(tmp_path / "s.csv", index=False)
    pd.DataFrame({"area": list("1234")}).to_csv(tmp_path / "n.csv", index=False)
    tables = {"stimuli_table": str(tmp_path / "s.csv"), "neuroids_table": str(tmp_path / "n.csv")}
    found = read(path, **tables)["response"].transpose("repetition", "stimulus", "neuroid")
    np.testing.assert_array_equal(found, np.arange(1, 25).reshape(2, 3, 4, order="F"))


def test_a_file_that_matlab_wrote_in_hdf5(tmp_path):
    path = Path(scipy.io.__file__).parent / "matlab" / "tests" / "data" / "testhdf5_7.4_GLNX86.mat"
    assert find("responses", [str(path)]).__name__.endswith(".hdf5_arrays")
    pd.DataFrame({"stimulus_id": range(9)}).to_csv(tmp_path / "s.csv", index=False)
    table = {"stimuli_table": str(tmp_path / "s.csv"), "array": "testdouble"}
    found = read(path, **table)["response"]
    expected = scipy.io.loadmat(path.with_name("testdouble_7.4_GLNX86.mat"))["testdouble"]
    np.testing.assert_array_equal(found, expected.T.astype(np.float32))
