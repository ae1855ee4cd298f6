"""Features without a network: files of every format, labels, and what is said of bad ones."""

from types import SimpleNamespace

import netCDF4
import numpy as np
import pandas as pd
import pytest

from cortiscope.errors import InputError
from cortiscope.files import Group, Variable, write
from cortiscope.networks import networks
from cortiscope.networks.projected import project

IDS = np.array(["007", "b", "ä", "d", "e"])
ORDER = [3, 0, 4, 2, 1]  # of the file
RANDOM = np.random.default_rng(0)
EMBEDDING = RANDOM.normal(size=(5, 3))
MAPS = RANDOM.normal(size=(5, 2, 4, 4)).astype(np.float32)


def row(path, source="features", **changes):
    basis = {"model": "net", "source": source, "weights": "none", "layers": "blocks"}
    return {**basis, "architecture": str(path), **changes}


def unknown(name):
    raise AssertionError("no coordinate is asked for")


@pytest.fixture
def stimuli(tmp_path):
    names = Variable(("stimulus",), IDS)
    kinds = Variable(("stimulus",), np.array([2, 1, 2, 10, 1]))
    path = tmp_path / "stimuli.nc"
    write(path, {"stimulus_id": names, "kind": kinds}, {})
    return str(path)


def as_npz(path):
    np.savez(path, stimulus_id=IDS[ORDER], early=MAPS[ORDER], **{"late/1": EMBEDDING[ORDER]})


def as_npz_in_order(path):
    np.savez(path, **{"early": MAPS, "late/1": EMBEDDING})


def as_npz_with_more(path):
    more = np.concatenate([MAPS[:1], MAPS]), np.concatenate([EMBEDDING[:1], EMBEDDING])
    np.savez(path, stimulus_id=["extra", *IDS], early=more[0], **{"late/1": more[1]})


def as_netcdf(path):
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("image", 5), ("channel", 2), ("y", 4), ("x", 4), ("late", 3)):
            file.createDimension(name, size)
        file.createVariable("stimulus_id", str, ("image",))[...] = IDS[ORDER].astype(object)
        made = file.createVariable("early", "f4", ("image", "channel", "y", "x"))
        made[...] = MAPS[ORDER]
        group = file.createGroup("late=2F1")
        group.createVariable("embedding", "f8", ("image", "late"))[...] = EMBEDDING[ORDER]


def as_features_of_ours(path):
    groups = {
        "early": Group({"features": Variable(("stimulus", "a"), MAPS.reshape(5, -1))}, {}),
        "late/1": Group(
            {
                "features": Variable(("stimulus", "component"), EMBEDDING),
                "feature_mean": Variable(("stimulus",), EMBEDDING.mean(1)),
            },
            {},
        ),
    }
    write(path, {"stimulus_id": Variable(("stimulus",), IDS)}, {}, groups)


@pytest.mark.parametrize(
    ("ending", "save"),
    [
        ("npz", as_npz),
        ("npz", as_npz_in_order),
        ("npz", as_npz_with_more),
        ("nc", as_netcdf),
        ("nc", as_features_of_ours),
    ],
)
def test_files_of_layers_are_read_in_the_order_of_the_stimuli(tmp_path, stimuli, ending, save):
    path = tmp_path / f"made.{ending}"
    save(path)
    source = networks.given(row(path))
    table = source.layers(unknown)
    assert [layer["layer"] for layer in table] == ["early", "late/1"]
    assert [layer["depth"] for layer in table] == ["0.5", "1.0"]
    assert [layer["n_features"] for layer in table] == ["32", "3"]
    assert table[0]["model_widest"] == "32"
    found = dict(source.values(stimuli, ["early", "late/1"]))
    assert np.array_equal(found["late/1"], EMBEDDING)
    assert np.array_equal(found["early"], MAPS.reshape(5, -1))
    assert found["early"].dtype == np.float32


@pytest.mark.parametrize("ending", ["csv", "parquet", "npy"])
def test_files_of_one_layer_have_its_name(tmp_path, stimuli, ending, capsys):
    path = tmp_path / f"embedding.{ending}"
    columns = {"stimulus_id": IDS[ORDER]} | {f"x{i}": EMBEDDING[ORDER, i] for i in range(3)}
    if ending == "csv":
        pd.DataFrame(columns).to_csv(path, index=False)
    elif ending == "parquet":
        pd.DataFrame(columns).to_parquet(path)
    else:
        np.save(path, EMBEDDING)
    source = networks.given(row(path))
    (layer,) = source.layers(unknown)
    assert (layer["layer"], layer["depth"], layer["shape"]) == ("embedding", "1.0", "3")
    ((_, found),) = source.values(stimuli, ["embedding"])
    assert np.allclose(found, EMBEDDING, rtol=1e-15)
    assert ("in the order of the study's stimuli" in capsys.readouterr().err) == (ending == "npy")


def test_depths_and_choices_of_layers(tmp_path):
    path = tmp_path / "made.npz"
    np.savez(path, a=EMBEDDING, b1=EMBEDDING, b2=EMBEDDING, depth=[0.1, 0.2, 0.9])
    taken = {
        selector: [
            (layer["layer"], layer["depth"])
            for layer in networks.given(row(path, layers=selector)).layers(unknown)
        ]
        for selector in ("all", "b*", "b2,a")
    }
    assert taken["all"] == [("a", "0.1"), ("b1", "0.2"), ("b2", "0.9")]
    assert taken["b*"] == taken["all"][1:]
    assert taken["b2,a"] == [taken["all"][0], taken["all"][2]]
    with pytest.raises(InputError, match="net: layers: 'b3' matches no layer; near: b"):
        networks.given(row(path, layers="b3")).layers(unknown)
    with pytest.raises(InputError, match="net: weights: features have no weights"):
        networks.given(row(path, weights="a/file.pth")).layers(unknown)


def csv_of_words(path):
    pd.DataFrame({"stimulus_id": IDS, "x": list("abcde")}).to_csv(path, index=False)


def csv_without_ids(path):
    pd.DataFrame({"name": IDS, "x": range(5)}).to_csv(path, index=False)


@pytest.mark.parametrize(
    ("name", "save", "message"),
    [
        ("a.npz", lambda p: np.savez(p, a=MAPS, b=MAPS[:3]), "b has 3 stimuli, and a 5"),
        ("a.npz", lambda p: np.savez(p, a=IDS), "a.npz: a: holds <U3, and not numbers"),
        ("a.npz", lambda p: np.savez(p, a=np.array([None], object)), "holds object"),
        ("a.npz", lambda p: np.savez(p, stimulus_id=IDS), "holds no layers"),
        ("a.npz", lambda p: np.savez(p, a=MAPS, depth=[1, 2]), "has 2 values for 1 layers"),
        ("a.npz", lambda p: np.savez(p, a=MAPS, depth=[2]), "a: depth 2 is out of range"),
        ("a.npz", lambda p: p.write_bytes(b"PK\x03\x04 damaged"), "cannot be read"),
        ("a.npy", lambda p: p.write_bytes(b"damaged"), "cannot be read"),
        ("a.parquet", lambda p: p.write_bytes(b"damaged"), "cannot be read"),
        ("a.nc", lambda p: p.write_bytes(b"damaged"), "not a readable netCDF-4 file"),
        ("a.mat", lambda p: p.write_bytes(b"x"), "no format of features; use .npz, .npy, .nc"),
        ("a.csv", csv_of_words, "a.csv: x: holds object, and not numbers"),
        ("a.csv", csv_without_ids, "has no column 'stimulus_id'; it has name, x"),
    ],
)
def test_bad_files_are_one_line(tmp_path, name, save, message):
    save(tmp_path / name)
    with pytest.raises(InputError, match=message) as found:
        networks.given(row(tmp_path / name)).layers(unknown)
    assert "\n" not in str(found.value)
    assert str(found.value).count("; ") == 1


def test_stimuli_that_a_file_lacks_are_counted_and_named(tmp_path, stimuli):
    path = tmp_path / "made.npz"
    for ids, values, message in (
        (IDS[1:4], MAPS[1:4], r"stimulus_id: lacks 2 of the 5 stimuli: '007', 'e'"),
        (IDS[[0, 1, 2, 3, 4, 4]], MAPS[[0, 1, 2, 3, 4, 4]], "stimulus_id: 'e' stands twice"),
    ):
        np.savez(path, stimulus_id=ids, a=values)
        with pytest.raises(InputError, match=message):
            list(networks.given(row(path)).values(stimuli, ["a"]))
    np.savez(path, stimulus_id=IDS, a=MAPS[:3])
    with pytest.raises(InputError, match="stimulus_id: has 5 values for 3 rows"):
        list(networks.given(row(path)).values(stimuli, ["a"]))
    broken = tmp_path / "broken.csv"
    broken.write_text("stimulus_id,x\n" + "a,1\n" * 400_000 + "b,1,2\n")  # beyond its first lines
    with pytest.raises(InputError, match=r"broken.csv: cannot be read \("):
        list(networks.given(row(broken)).values(stimuli, ["broken"]))
    np.savez(path, a=MAPS[:4])
    with pytest.raises(InputError, match="has 4 rows and no stimulus_id, where the study has 5"):
        list(networks.given(row(path)).values(stimuli, ["a"]))


def test_labels_are_one_number_for_each_value(stimuli):
    source = networks.given(row("kind", source="labels"))
    (layer,) = source.layers(SimpleNamespace(n_values={"kind": 3}.get))
    assert (layer["layer"], layer["shape"], layer["depth"]) == ("kind", "3", "1.0")
    ((_, found),) = source.values(stimuli, ["kind"])
    assert found.shape == (5, 3)
    same = found @ found.T
    assert np.array_equal(same, np.equal.outer([2, 1, 2, 10, 1], [2, 1, 2, 10, 1]))
    with pytest.raises(InputError, match="architecture: all stimuli have the same 'kind'"):
        source.layers(SimpleNamespace(n_values=lambda name: 1))


@pytest.mark.parametrize("kind", ["exact", "fold", "none"])
def test_projections_keep_what_was_given(kind):
    outcome, about = project([("a", EMBEDDING)], {"projection": kind}, "net")["a"]
    centred = EMBEDDING - EMBEDDING.mean(0)
    found = outcome["features"] - outcome["features"].mean(0)
    assert np.allclose(found @ found.T, centred @ centred.T, atol=1e-5)
    assert about["n_features"] == 3
    with pytest.raises(InputError, match="model net, layer a: activations are not finite"):
        project([("a", np.full((5, 3), np.nan))], {"projection": kind}, "net")
