"""Stimuli and responses that are wrong are answered by one line."""

import netCDF4
import numpy as np
import pytest
from PIL import Image

from tests.bad_inputs import N_STIMULI, Cases, check, recorded

CASES = Cases()
case = CASES.case
STIMULI = "resources/shapes/stimuli.nc"
RESPONSES = "resources/shapes/responses.nc"
ACCURACY = "results/shapes/accuracy/shapenet5_untrained.csv"


@case(
    "config: stimuli.source: no file or folder 'stimuli.nc' under ...;"
    " check the path, or set data_root"
)
def missing_stimuli(folder):
    return {"stimuli": {"source": "stimuli.nc"}}


@case("responses.nc: not a readable netCDF-4 file (NetCDF: HDF error); it may be cut short: ...")
def truncated_file(folder):
    config = recorded(folder)
    whole = (folder / "responses.nc").read_bytes()
    (folder / "responses.nc").write_bytes(whole[: len(whole) // 2])
    return config


@case("stimuli.nc: stimulus_id: 'image03' stands twice; make ids unique")
def duplicate_stimulus_ids(folder):
    def twice(shown):
        names = shown["stimulus_id"].values.copy()
        names[7] = names[3]
        return shown.assign_coords(stimulus_id=("stimulus", names))

    return recorded(folder, shown=twice)


@case(
    "responses.nc: stimulus_id: 2 stimuli have no responses ('image00')"
    " and 0 responses have no stimulus; give both files the same stimulus_id values,"
    " or set stimuli.keep: common to take those of both"
)
def stimuli_without_responses(folder):
    return recorded(folder, recording=lambda dataset: dataset.isel(stimulus=slice(2, None)))


@case("responses.nc: subject: is no text in UTF-8; write it in UTF-8", RESPONSES)
def text_in_latin_1(folder):
    subjects = ("neuroid", np.array(["Zoë".encode("latin-1")] * 3))
    return recorded(folder, recording=lambda dataset: dataset.assign_coords(subject=subjects))


@case("responses.nc: response: has dimensions stimulus, unit; name them stimulus, neuroid, ...")
def unknown_dimension(folder):
    return recorded(folder, recording=lambda dataset: dataset.rename_dims(neuroid="unit"))


@case("responses.nc: response: holds no neuroid; add some")
def no_neuroids(folder):
    return recorded(folder, recording=lambda dataset: dataset.isel(neuroid=slice(0)))


@case("responses.nc: area: is empty for some of them; name an area for each")
def an_area_without_a_name(folder):
    def unnamed(recording):
        return recording.assign_coords(area=("neuroid", ["V1", "", "IT"]))

    return recorded(folder, recording=unnamed)


@case("responses.nc: response: holds no numbers; store integers, or floating-point ... bits")
def responses_of_text(folder):
    return recorded(folder, recording=lambda dataset: dataset.astype(str))


@case("stimuli.nc: image: holds no numbers; store integers, or floating-point ... bits")
def images_of_text(folder):
    return recorded(folder, shown=lambda dataset: dataset.astype(str))


@case(
    "responses.nc: response: no such variable outside of the file's groups, subject1;"
    " write variables into no group"
)
def responses_in_a_group(folder):
    config = recorded(folder)
    with netCDF4.Dataset(folder / "responses.nc", "w") as dataset:
        dataset.createGroup("subject1")
    return config


@case("stimuli.nc: image: runs from -2.1 to 2.6; store grey levels from 0 to 255, or ...", STIMULI)
def normalised_images(folder):
    def normalised(shown):
        return shown.assign(image=shown["image"] / 255.0 * 4.7 - 2.1)

    def spanning(shown):
        shown["image"][0, 0, :2] = [0, 255]
        return normalised(shown)

    return recorded(folder, shown=spanning)


@case("responses.nc: time: holds no numbers; give times as numbers, such as seconds")
def times_of_text(folder):
    def timed(recording):
        return recording.expand_dims(time=["early", "late"], axis=-1)

    return recorded(folder, recording=timed)


@case(
    "config: searchlight.radius: the neuroids of responses.nc have no numbers 'z';"
    " set it to 0, or record voxels with x, y and z"
)
def searchlight_in_a_plane(folder):
    def placed(recording):
        return recording.assign_coords({axis: ("neuroid", [0, 1, 2]) for axis in "xy"})

    return recorded(folder, recording=placed) | {"searchlight": {"radius": 2}}


@case("config: decoding.properties: turn: 12 classes of 12 stimuli; name it `continuous`, or ...")
def whole_angles_as_classes(folder):
    turn = ("stimulus", np.arange(0, 360, 30))
    config = recorded(folder, shown=lambda shown: shown.assign_coords(turn=turn))
    return config | {"decoding": {"properties": ["turn"]}}


@case("config: decoding.properties: stimulus_id: is text; name it without a kind")
def names_as_numbers(folder):
    return recorded(folder) | {"decoding": {"properties": [{"stimulus_id": "continuous"}]}}


@case("config: responses.areas: no area 'V9'; use some of ['V1', 'IT']")
def unknown_area(folder):
    config = recorded(folder)
    config["responses"]["areas"] = ["IT", "V9"]
    return config


@case(
    "config: accuracy.images: labelled: holds no folder per category;"
    " put the images of each category in a folder of their own"
)
def accuracy_without_categories(folder):
    (folder / "labelled").mkdir()
    return {"accuracy": {"images": "labelled"}}


@case("config: accuracy.images: labelled: holds no images; use .png, .jpg, ...")
def accuracy_without_images(folder):
    (folder / "labelled" / "square").mkdir(parents=True)
    return {"accuracy": {"images": "labelled"}}


# Seen by a job


def pictures(folder):
    """The same with the stimuli as a folder of images."""
    config = recorded(folder, images="pictures")
    (folder / "pictures").mkdir()
    for number in range(N_STIMULI):
        picture = Image.fromarray(np.full((8, 8, 3), number, np.uint8))
        picture.save(folder / "pictures" / f"image{number:02d}.png")
    return config


@case("stimuli.nc: image: NaN in stimulus number 5; remove or repair that image", STIMULI)
def nan_image(folder):
    def lacking(shown):
        image = shown["image"].astype(float)
        image[5, 2, 2] = np.nan
        return shown.assign(image=image)

    return recorded(folder, shown=lacking)


@case("stimuli.nc: holds damaged values (NetCDF: ...); copy it anew, or ...", STIMULI)
def damaged_values(folder):
    """The header is sound; the compressed images are overwritten."""

    def compressed(shown):
        shown["image"].encoding = {"zlib": True, "chunksizes": shown["image"].shape}
        return shown

    config = recorded(folder, shown=compressed)
    content = bytearray((folder / "stimuli.nc").read_bytes())
    start = content.index(b"\x78\x5e")  # how zlib begins at netCDF's level
    content[start + 2 : start + 102] = bytes(100)
    (folder / "stimuli.nc").write_bytes(content)
    return config


@case("pictures/image03.png: is not a readable image; replace or remove it", STIMULI)
def corrupt_image(folder):
    config = pictures(folder)
    file = folder / "pictures" / "image03.png"
    content = bytearray(file.read_bytes())
    content[37:41] = b"oops"
    file.write_bytes(content)
    return config


@case(
    "pictures/image03.png: has grey levels of more than 8 bits, from 3000 to 3000;"
    " store 8 bits a channel, 16 of which 65535 is white, or numbers from 0 to 1",
    STIMULI,
)
def image_of_16_bits(folder):
    config = pictures(folder)
    deep = Image.fromarray(np.full((8, 8), 3000, np.uint16))
    deep.save(folder / "pictures" / "image03.png")
    return config


@case("pictures/...: has grey levels of more than 8 bits, from 3000 to 3000; store 8 bits a ...")
def images_of_16_bits(folder):
    config = pictures(folder)
    deep = Image.fromarray(np.full((8, 8), 3000, np.uint16))
    for path in (folder / "pictures").iterdir():
        deep.save(path)
    return config


@case(
    "config: accuracy.images: has 2 folders (circle, square) where the network has 8 outputs;"
    " give each of its categories a folder, an empty one where there are no images; or write"
    " `none` in the column `classifier` of the models table, if it is none",
    ACCURACY,
)
def accuracy_of_some_categories(folder):
    for name in ("circle", "square"):
        (folder / "labelled" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(folder / "labelled" / name / "one.png")
    return {"accuracy": {"images": "labelled"}}


@case(
    "responses.nc: response: all NaN in area 'V1'; take its neuroids out of the file",
    RESPONSES,
)
def area_without_responses(folder):
    def silent(recording):
        return recording.where(recording["area"] != "V1")

    return recorded(folder, recording=silent)


@pytest.mark.parametrize(("write", "line", "target"), CASES)
def test_a_bad_recording_is_one_line(listed, write, line, target):
    check(listed, write, line, target)
