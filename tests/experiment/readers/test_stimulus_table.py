"""Stimuli in a table, their images in a folder or an archive, are those that were stored."""

from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cortiscope.errors import InputError
from cortiscope.experiment.formats import find, opened
from cortiscope.experiment.stimuli import read_stimuli
from cortiscope.experiment.tables import file_beside

IDS = ["07", "003", "1"]
SIZES = [(8, 8), (8, 9), (7, 8)]
IMAGES = [
    np.random.default_rng(number).integers(0, 256, (*size, 3), np.uint8)
    for number, size in enumerate(SIZES)
]


@pytest.fixture(params=["folder", "zip"])
def table(tmp_path, request):
    """As Brain-Score's stimulus sets are: stimulus_x.csv and stimulus_x.zip, or a folder."""
    folder = tmp_path / "stimulus_x"
    folder.mkdir()
    names = [f"im_{name}.png" for name in IDS]
    for name, image in zip(names, IMAGES, strict=True):
        Image.fromarray(image).save(folder / name)
    if request.param == "zip":
        with ZipFile(tmp_path / "stimulus_x.zip", "w") as archive:
            for name in names:
                archive.write(folder / name, name)
    columns = {"stimulus_id": IDS, "filename": names, "object_name": ["face", "car", "face"]}
    pd.DataFrame(columns | {"rxy": [0.5, -1.25, 1 / 3]}).to_csv(
        tmp_path / "stimulus_x.csv", index=False
    )
    return tmp_path / "stimulus_x.csv"


def settings(table):
    return {"images": file_beside(str(table), "images")}


def test_images_and_columns_are_kept(table):
    assert find("stimuli", [str(table)]).__name__.endswith(".stimulus_table")
    found = read_stimuli(table, settings(table))
    assert found["stimulus_id"].values.tolist() == IDS
    assert found["object_name"].values.tolist() == ["face", "car", "face"]
    assert found["rxy"].values.tolist() == [0.5, -1.25, 1 / 3]
    for number, image in enumerate(IMAGES):
        y, x = found["image_size"].values[number]
        np.testing.assert_array_equal(found["image"].values[number, :y, :x], image)
    with opened("stimuli", settings(table), [str(table)]) as (held, _):
        assert held["image"].shape == (3, 8, 8, 3)


def test_files_may_be_named_by_the_stimuli(table):
    rows = pd.read_csv(table, dtype=str)
    pd.DataFrame({"image_id": rows["filename"].str[:-4]}).to_csv(table, index=False)
    found = read_stimuli(table, settings(table))
    assert found["stimulus_id"].values.tolist() == [f"im_{name}" for name in IDS]
    assert found["image"].shape == (3, 8, 9, 3)


def test_what_cannot_be_is_one_line(table):
    with pytest.raises(InputError, match=r"stimuli.images: no images were found beside .*; name"):
        read_stimuli(table, {"images": ""})
    with pytest.raises(InputError, match=r"is neither a folder nor a zip archive; name one"):
        read_stimuli(table, {"images": str(table)})
    rows = pd.read_csv(table, dtype=str)
    rows.assign(filename=["a.png", "b", "c"]).to_csv(table, index=False)
    with pytest.raises(InputError, match=r"stimulus_x.*: has no image 'a.png'; name files as in"):
        read_stimuli(table, settings(table))
    rows[["object_name"]].assign(more=1).to_csv(table, index=False)
    with pytest.raises(InputError, match=r"has the columns object_name, more; name stimuli in"):
        read_stimuli(table, settings(table))


def test_a_damaged_image_is_named(table):
    place = settings(table)["images"]
    if place.endswith(".zip"):
        with ZipFile(place, "w") as archive:
            for name in IDS:
                archive.writestr(f"im_{name}.png", b"oops")
        line = r"stimulus_x.zip: im_07.png: is not a readable image; replace or remove it"
    else:
        (table.parent / "stimulus_x" / "im_07.png").write_bytes(b"oops")
        line = r"stimulus_x/im_07.png: is not a readable image; replace or remove it"
    with pytest.raises(InputError, match=line):
        read_stimuli(table, settings(table))


def test_images_are_read_when_they_are_asked_for(tmp_path):
    rows = {"stimulus_id": IDS, "path": [f"{name}.png" for name in IDS]}
    for path, image in zip(rows["path"], IMAGES, strict=True):
        Image.fromarray(image).save(tmp_path / path)
    pd.DataFrame(rows).to_csv(tmp_path / "table.csv", index=False)
    found = read_stimuli(tmp_path / "table.csv", {"images": str(tmp_path)})
    (tmp_path / "1.png").unlink()
    np.testing.assert_array_equal(found["image"][0].values[:8, :8], IMAGES[0])
    with pytest.raises(InputError, match=r"1.png: is not a readable image; replace or remove it"):
        print(found["image"][2].values)
