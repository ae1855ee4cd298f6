"""Recordings as they come, not as they should: read right, or answered by one line."""

import h5py
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import scipy.io

from cortiscope.errors import InputError
from tests.bad_inputs import pattern
from tests.recording_files import IDS, check, read, responses, write_tables

CASES = []
UNLIKE = (
    "...: {}; give both files the same stimulus_id values,"
    " or set stimuli.keep: common to take those of both"
)


def case(line=None):
    """Register a bad recording: a function that writes it and returns its path and settings.

    line: what the user must read; None where it is read right.
    """

    def register(write):
        CASES.append(pytest.param(write, line, id=write.__name__))
        return write

    return register


def npy(folder, values):
    np.save(folder / "betas.npy", values)
    return folder / "betas.npy", write_tables(folder)


@case()
def transposed_axes(folder):
    return npy(folder, np.ascontiguousarray(responses().transpose(2, 1, 0)))


@case()
def fortran_order(folder):
    return npy(folder, np.asfortranarray(responses()))


@case()
def big_endian_numbers(folder):
    return npy(folder, responses().astype(">f4"))


@case("...betas.npy: has the shape (7, 3, 5), where there are 6 stimuli and 5 neuroids; give ...")
def a_table_that_lacks_a_row(folder):
    path, tables = npy(folder, responses())
    pd.DataFrame({"stimulus_id": IDS[1:]}).to_csv(tables["stimuli_table"], index=False)
    return path, tables


def with_ids(folder, names):
    path, tables = npy(folder, responses())
    pd.DataFrame({"stimulus_id": names}).to_csv(tables["stimuli_table"], index=False)
    return path, tables


@case(
    UNLIKE.format(
        "7 stimuli have no responses ('000') and 7 responses have no stimulus ('000.png')"
    )
)
def ids_that_differ_by_their_ending(folder):
    return with_ids(folder, [f"{name}.png" for name in IDS])


@case(UNLIKE.format("1 stimuli have no responses ('006') and 1 responses have no stimulus ('00S')"))
def ids_that_differ_by_a_letter(folder):
    return with_ids(folder, [*IDS[:-1], "00S"])


@case("...betas.npy: stimulus_id: is missing; give responses.stimuli_table, a table with ...")
def no_names_of_stimuli(folder):
    path, tables = npy(folder, responses())
    return path, {"neuroids_table": tables["neuroids_table"]}


@case("...stimuli.csv: stimulus_id: is no column; name it stimulus_id or image_id, or say ...")
def a_table_of_stimuli_without_names(folder):
    path, tables = npy(folder, responses())
    pd.DataFrame({"picture": IDS}).to_csv(tables["stimuli_table"], index=False)
    return path, tables


@case(
    "...betas.npy: is no readable array of NumPy (...); copy it anew, or save it by numpy.save ..."
)
def a_pickled_object(folder):
    return npy(folder, np.array([{"response": 1}] * 7, dtype=object))


@case(
    "...betas.npy: is no readable array of NumPy (...); copy it anew, or save it by numpy.save ..."
)
def an_array_cut_short(folder):
    path, tables = npy(folder, responses())
    path.write_bytes(path.read_bytes()[:-50])
    return path, tables


@case("...betas.npy: response: holds infinities; use NaN for not recorded")
def infinities(folder):
    values = responses()
    values[0, 0, 0] = np.inf
    return npy(folder, values)


@case("...betas.npy: response: holds no numbers; store integers, or floating-point numbers ...")
def complex_numbers(folder):
    return npy(folder, responses().astype(np.complex64))


def mat(folder, **arrays):
    scipy.io.savemat(folder / "betas.mat", arrays)
    return folder / "betas.mat", write_tables(folder)


@case("...betas.mat: betas: is of class cell, no numbers; store an array of numbers, such as ...")
def a_cell_array(folder):
    cells = np.empty((1, 5), object)
    cells[0] = [responses()[:, 0, neuroid] for neuroid in range(5)]
    path, tables = mat(folder, betas=cells)
    return path, tables | {"array": "betas"}


@case("...betas.mat: holds 2 arrays that may be the responses; set responses.array to one of ...")
def several_arrays(folder):
    return mat(folder, train=responses(), test=responses())


@case("...betas.mat: betas: holds complex numbers; store their real part, or their size")
def complex_numbers_of_matlab(folder):
    return mat(folder, betas=responses() + 1j)


@case("...betas.mat: is no readable MATLAB file (...); copy it anew, or save it again from MATLAB")
def a_matlab_file_cut_short(folder):
    path, tables = mat(folder, betas=responses())
    path.write_bytes(path.read_bytes()[:300])
    return path, tables


@case("...long.csv: 001, neuroid_id n1: has repetition 1 twice; number repetitions apart, or ...")
def duplicated_presentations(folder):
    table = pd.DataFrame({"stimulus_id": IDS, "neuroid_id": "n1", "repetition": 1, "value": 2.0})
    pd.concat([table, table[1:2]]).to_csv(folder / "long.csv", index=False)
    return folder / "long.csv", {}


@case("...wide.csv: n1: holds texts among its responses; leave empty what was not recorded")
def decimal_commas(folder):
    table = pd.DataFrame({"stimulus_id": IDS, "n1": "0,5", "n2": 1})
    table.to_csv(folder / "wide.csv", index=False, sep=";")
    pd.DataFrame({"neuroid_id": ["n1", "n2"], "area": "IT"}).to_csv(folder / "n.csv", index=False)
    return folder / "wide.csv", {"neuroids_table": str(folder / "n.csv")}


@case("...wide.csv: is no table (...); write a line for each row, all of as many cells")
def a_row_of_more_cells(folder):
    (folder / "wide.csv").write_text("stimulus_id,n1\n000,1\n001,1,2\n")
    return folder / "wide.csv", {}


@case("...wide.csv: response: holds no neuroid; add some")
def no_neuroids(folder):
    table = pd.DataFrame({"cell_specimen_id": []} | {key: [] for key in IDS}, dtype=float)
    table.to_csv(folder / "wide.csv", index=False)
    return folder / "wide.csv", {}


def nifti(folder, values, labels, dtype=np.float32):
    image = nib.Nifti1Image(values, np.eye(4))
    image.header.set_data_dtype(dtype)
    nib.save(image, folder / "betas.nii.gz")
    nib.save(nib.Nifti1Image(labels.astype(np.int16), np.eye(4)), folder / "atlas.nii.gz")
    tables = write_tables(folder)
    return folder / "betas.nii.gz", {
        "stimuli_table": tables["stimuli_table"],
        "atlas": str(folder / "atlas.nii.gz"),
    }


@case(
    "config: responses.atlas: ...: has the shape (5, 2, 1), where ... has (5, 1, 1); resample ..."
)
def a_mask_of_another_shape(folder):
    return nifti(folder, np.zeros((5, 1, 1, 7)), np.ones((5, 2, 1)))


@case("config: responses.atlas: ...: is nowhere above 0; mark the voxels to take")
def an_empty_mask(folder):
    return nifti(folder, np.zeros((5, 1, 1, 7)), np.zeros((5, 1, 1)))


def assembly(folder, bins, **settings):
    """Of trials (presentation, neuroid, time_bin), by h5py's own hand."""
    arrays = {"data": responses().reshape(21, 5, 1).repeat(len(bins), axis=2)}
    dims = {"data": ("presentation", "neuroid", "time_bin")}
    along = {
        "stimulus_id": ("presentation", np.repeat(IDS, 3).astype("S3")),
        "area": ("neuroid", np.array([b"IT"] * 5)),
        "time_bin_start": ("time_bin", np.array(bins)[:, 0]),
        "time_bin_end": ("time_bin", np.array(bins)[:, 1]),
    }
    with h5py.File(folder / "assembly.nc", "w") as file:
        for number, name in enumerate(("presentation", "neuroid", "time_bin")):
            file[name] = np.zeros(arrays["data"].shape[number])
            file[name].make_scale(name)
        for name, (dimension, values) in along.items():
            arrays[name], dims[name] = values, (dimension,)
        for name, values in arrays.items():
            file[name] = values
            for axis, dimension in enumerate(dims[name]):
                file[name].dims[axis].attach_scale(file[dimension])
    return folder / "assembly.nc", settings


@case("config: responses.window: [0, 0.1] s holds bins of ... that overlap; leave it out: ...")
def bins_that_overlap(folder):
    return assembly(folder, [(0, 20), (10, 30)], window=[0, 0.1])


@case(
    "config: responses.window: [70, 170] s holds no bin of ...; those run from 0.07 to 0.17 s; ..."
)
def milliseconds_taken_for_seconds(folder):
    return assembly(folder, [(70, 170)], window=[70, 170])


@case("...betas.xlsx: begins with b'PK...', no format known of responses; give a Brain-Score ...")
def a_spreadsheet(folder):
    (folder / "betas.xlsx").write_bytes(b"PK\3\4\x14\0\6\0" + bytes(100))
    return folder / "betas.xlsx", {}


@pytest.mark.parametrize(("write", "line"), CASES)
def test_a_recording_is_read_right_or_answered_by_one_line(tmp_path, write, line):
    path, settings = write(tmp_path)
    if line is None:
        check(read(path, shown=IDS, **settings), responses())
        return
    with pytest.raises(InputError) as error:
        read(path, shown=IDS, **settings)
    assert pattern(line).fullmatch(str(error.value)), error.value


def test_whole_numbers_and_silent_voxels_are_kept(tmp_path):
    """Betas of NSD are 300 times a percentage; a voxel of zero variance scores NaN later."""
    values = np.random.default_rng(0).integers(-3000, 3000, (5, 1, 1, 7))
    values[2] = 0
    path, settings = nifti(tmp_path, values.astype(np.int16), np.ones((5, 1, 1)), np.int16)
    found = read(path, shown=IDS, **settings)["response"]
    np.testing.assert_array_equal(found.transpose("neuroid", "stimulus"), values[:, 0, 0])
