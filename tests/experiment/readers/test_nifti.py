"""Betas in NIfTI images, written by nibabel, are what nibabel reads from them."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from cortiscope.errors import InputError
from cortiscope.experiment.formats import find
from tests.recording_files import IDS, read

SHAPE = (4, 5, 3)
AFFINE = np.array([[-1.8, 0, 0, 70], [0, 1.8, 0, -90], [0, 0, 2.0, -60], [0, 0, 0, 1.0]])
SHOWN = np.random.default_rng(3).permutation(np.repeat(IDS, 3))
LABELS = np.random.default_rng(0).choice([0, 0, 1, 2, 7], SHAPE).astype(np.int16)


def betas():
    values = np.random.default_rng(1).normal(0, 300, (*SHAPE, len(SHOWN)))
    values[1, 2, 1] = np.nan
    values[0, 0, 0] = 5  # a voxel of zero variance
    return values


@pytest.fixture
def write(tmp_path):
    def written(values, dtype=np.float32, name="betas.nii.gz", kind=nib.Nifti1Image, scaled=False):
        image = kind(values, AFFINE)
        image.header.set_data_dtype(dtype)
        if scaled:
            image.header.set_slope_inter(1 / 300, 0.5)
            image = kind(np.nan_to_num(values).astype(dtype), AFFINE, image.header)
            image.header.set_slope_inter(1 / 300, 0.5)
        nib.save(image, tmp_path / name)
        nib.save(nib.Nifti1Image(LABELS, AFFINE), tmp_path / "atlas.nii.gz")
        pd.DataFrame({"stimulus_id": SHOWN}).to_csv(tmp_path / "trials.csv", index=False)
        table = {"index": [7, 1, 2], "name": ["hV4", "V1", "V2"], "tier": [3, 1, 2]}
        pd.DataFrame(table).to_csv(tmp_path / "areas.tsv", index=False, sep="\t")
        names = {
            "atlas": "atlas.nii.gz",
            "stimuli_table": "trials.csv",
            "neuroids_table": "areas.tsv",
        }
        return tmp_path / name, {key: str(tmp_path / file) for key, file in names.items()}

    return written


def check(found, path):
    """As nibabel reads it: values to the bit, places, names of areas."""
    image = nib.load(path)
    expected = image.get_fdata()[LABELS > 0].T  # (presentation, voxel)
    for stimulus, name in enumerate(IDS):
        own = found["response"].sel(stimulus=stimulus).transpose("repetition", "neuroid")
        np.testing.assert_array_equal(own, expected[name == SHOWN].astype(np.float32))
    places = np.argwhere(LABELS > 0)
    mm = nib.affines.apply_affine(image.affine, places)
    for number, axis in enumerate("xyz"):
        np.testing.assert_array_equal(found[axis], mm[:, number])
    names = [{1: "V1", 2: "V2", 7: "hV4"}[label] for label in LABELS[LABELS > 0].tolist()]
    assert found["area"].values.tolist() == names
    assert found["neuroid_id"].values[0] == "-".join(map(str, places[0]))


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("name", ["betas.nii.gz", "betas.nii"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, ">f4"])
def test_volumes_become_repetitions(write, kind, name, dtype):
    path, settings = write(betas(), dtype, name, kind)
    assert find("responses", [str(path)]).__name__.endswith(".nifti")
    check(read(path, shown=IDS, **settings), path)


def test_scale_factors_are_honoured(write):
    """Betas as whole numbers, each 1/300 of a percent."""
    path, settings = write(betas(), np.int16, scaled=True)
    assert nib.load(path).dataobj.slope == np.float32(1 / 300)
    check(read(path, shown=IDS, **settings), path)


def test_whole_numbers_without_a_scale_are_read_as_they_are(write):
    path, settings = write(np.nan_to_num(betas()).astype(np.int16), np.int16)
    check(read(path, shown=IDS, **settings), path)


def test_a_mask_is_one_area_and_numbers_are_names_without_a_table(write):
    path, settings = write(betas())
    settings.pop("neuroids_table")
    assert set(read(path, shown=IDS, **settings)["area"].values) == {"1", "2", "7"}
    mask = nib.Nifti1Image((LABELS > 0).astype(np.uint8), AFFINE)
    nib.save(mask, settings["atlas"])
    found = read(path, shown=IDS, **settings)
    assert set(found["area"].values) == {"all"}
    assert found.sizes["neuroid"] == (LABELS > 0).sum()


def other_atlas(values, affine=AFFINE):
    return lambda path, settings: nib.save(nib.Nifti1Image(values, affine), settings["atlas"])


def shorter_table(path, settings):
    pd.DataFrame({"stimulus_id": SHOWN[1:]}).to_csv(settings["stimuli_table"], index=False)


def unnamed_label(path, settings):
    pd.DataFrame({"index": [1, 2], "name": ["V1", "V2"]}).to_csv(
        settings["neuroids_table"], index=False
    )


def damaged(path, settings):
    path.write_bytes(path.read_bytes()[:-100])


def cut_short(path, settings):
    image = nib.load(path)
    nib.save(image, path.with_suffix("").with_suffix(".nii"))
    whole = path.with_suffix("").with_suffix(".nii").read_bytes()
    path.write_bytes(whole[:-100])


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            other_atlas(LABELS[:3]),
            r"atlas: .*: has the shape \(3, 5, 3\), where .* has \(4, 5, 3\); r",
        ),
        (other_atlas(LABELS, AFFINE + np.eye(4)), r"atlas: .* lies elsewhere than .*; resample it"),
        (other_atlas(LABELS * 0), r"atlas: .*: is nowhere above 0; mark the voxels to take"),
        (other_atlas(LABELS / 2.0), r"atlas: .*: holds \S+, no whole number; give a number for e"),
        (shorter_table, r"trials.csv: has 20 rows, where .* has 21 volumes; give a row for each"),
        (unnamed_label, r"areas.tsv: index: does not name 7, which .* holds; add its row"),
        (damaged, r"betas.nii.gz: is damaged \(Compressed file ended .*\); copy it anew"),
        (cut_short, r"betas.nii.gz: is cut short; copy it anew"),
        (lambda path, settings: settings.pop("atlas"), r"responses.atlas: is missing, which says"),
        (lambda path, settings: settings.pop("stimuli_table"), r"stimulus_id: is missing; give re"),
    ],
)
def test_what_cannot_be_is_one_line(write, change, line):
    path, settings = write(betas())
    change(path, settings)
    with pytest.raises(InputError, match=line):
        read(path, shown=IDS, **settings)


def test_a_scanners_run_is_read_as_nibabel_reads_it(tmp_path):
    """A file that nibabel ships: int16 with a scale factor, 20 volumes."""
    path = Path(nib.__file__).parent / "tests" / "data" / "functional.nii"
    image = nib.load(path)
    labels = (np.arange(np.prod(image.shape[:3])) % 5).reshape(image.shape[:3]).astype(np.uint8)
    nib.save(nib.Nifti1Image(labels, image.affine), tmp_path / "atlas.nii")
    names = [f"{number:02d}" for number in range(image.shape[3])]
    pd.DataFrame({"stimulus_id": names}).to_csv(tmp_path / "trials.csv", index=False)
    beside = {"atlas": str(tmp_path / "atlas.nii"), "stimuli_table": str(tmp_path / "trials.csv")}
    found = read(path, **beside)
    expected = image.get_fdata()[labels > 0].T.astype(np.float32)
    np.testing.assert_array_equal(found["response"], expected)
