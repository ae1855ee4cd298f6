"""The models table, as far as its rows are filled in."""

import pytest

from cortiscope.errors import InputError
from cortiscope.networks.rows import family
from cortiscope.networks.twins import check_twins
from cortiscope.planning.models import read_models
from tests.running import REPOSITORY

SCHEMA = REPOSITORY / "workflow" / "schemas" / "models.schema.yaml"


@pytest.mark.parametrize(
    ("row", "training"),
    [
        ("zoo shapenet5", "untrained"),
        ("zoo shapenet5 net.pth", "trained"),
        ("torchvision alexnet IMAGENET1K_V1", "trained"),
        ("zoo shapenet5 initial.pth untrained", "untrained"),
        ("file net.py:build", "untrained"),
        ("file net.py:build none trained", "trained"),  # it may load weights itself
    ],
)
def test_training_follows_the_weights_where_a_row_does_not_say(tmp_path, row, training):
    table = tmp_path / "models.tsv"
    cells = [*row.split(), "", ""][:4]
    header = ["model", "source", "architecture", "weights", "training"]
    table.write_text("\n".join("\t".join(line) for line in (header, ["net", *cells])))
    assert read_models(table, "all", SCHEMA)["net"]["training"] == training


def test_the_shipped_tables_say_what_their_weights_are():
    tables = list((REPOSITORY / "config").rglob("*.tsv"))
    assert len(tables) == 2
    for table in tables:
        for name, row in read_models(table, "all", SCHEMA).items():
            assert (row["training"] == "untrained") == (row["weights"] == "none"), name


HEADER = ["model", "architecture", "weights", "preprocessing", "family", "training", "source"]


@pytest.fixture
def shown(tmp_path):
    """A function that reads a table of torchvision's networks; the preprocessing of each."""

    def read(*rows, names="all", source="torchvision"):
        lines = [[*("" if cell == "-" else cell for cell in row.split())] for row in rows]
        lines = [[*line, *[""] * (6 - len(line)), source] for line in lines]
        table = tmp_path / "models.tsv"
        table.write_text("\n".join("\t".join(line) for line in (HEADER, *lines)))
        found = read_models(table, names, SCHEMA)
        return {name: row["preprocessing"] for name, row in found.items()}

    return read


UNTRAINED = "untrained resnet50 none"


@pytest.mark.parametrize(
    ("trained", "preprocessing"),
    [
        ("net.py:build net.pth resize=128", "resize=128"),
        ("net.py:build none resize=128 - trained", "resize=128"),  # it loads weights itself
        ("net.py:build net.pth", "auto"),
        ("net.py:other net.pth resize=128", "auto"),
    ],
)
def test_networks_of_ones_own_are_shown_what_their_trained_twins_are(shown, trained, preprocessing):
    rows = [f"trained {trained}", "untrained net.py:build none"]
    assert shown(*rows, source="file")["untrained"] == preprocessing


def test_networks_of_ones_own_whose_twins_differ_are_asked_about(shown):
    rows = ["a net.py:build a.pth", "b net.py:build b.pth crop=64", "c net.py:build none"]
    with pytest.raises(InputError, match=r"rows of net\.py:build have 'auto' and 'crop=64'; write"):
        shown(*rows, source="file")


def labelled(rows, shown):
    """Labels of rows of the table, each of its architecture, family and training."""
    columns = ("architecture", "family", "training", "preprocessing")
    models = {}
    for (name, row), words in zip(rows.items(), shown.split(), strict=True):
        labels = dict(zip(columns, (*row, words), strict=True))
        models[name] = labels | {"family": family(labels)}
    return models


TRAINED, TWIN = ("net", "a", "trained"), ("net", "a", "untrained")


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        ({"t": TRAINED, "u": TWIN}, "64 64"),
        ({"t": TRAINED, "u": ("net", "b", "untrained")}, "64 128"),
        ({"t": TRAINED, "u": ("other", "a", "untrained")}, "64 128"),
        ({"t": TRAINED, "s": TRAINED}, "64 128"),
        ({"u": TWIN}, "64"),
        ({"t": TRAINED, "u": TWIN, "s": TRAINED}, "64 128 128"),  # of one of them it is the twin
        ({"t": TRAINED, "u": ("net", "", "untrained")}, "64 128"),
    ],
)
def test_twins_that_are_shown_the_same_are_taken(rows, shown):
    check_twins(labelled(rows, shown))


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        ({"t": TRAINED, "u": TWIN}, "128 224"),
        ({"u": TWIN, "s": TRAINED, "t": TRAINED}, "224 128 128"),
        ({"t": ("net", "", "trained"), "u": ("net", "net", "untrained")}, "128 224"),
    ],
)
def test_twins_that_differ_in_more_than_training_are_refused(rows, shown):
    trained = next(name for name in rows if name != "u")
    with pytest.raises(InputError) as caught:
        check_twins(labelled(rows, shown))
    assert str(caught.value) == (
        f"models table: u: preprocessing: shows '224', and '128' to {trained}, its trained twin;"
        " give both the same, or each a family of its own"
    )


@pytest.mark.parametrize(
    ("others", "preprocessing"),
    [
        (["trained resnet50 IMAGENET1K_V1"], "IMAGENET1K_V1"),
        (["trained resnet50 IMAGENET1K_V1 imagenet"], "imagenet"),
        (["trained resnet50 net.pth imagenet"], "imagenet"),
        (["trained resnet50 net.pth"], "auto"),  # of the default weights, both
        (["trained resnet50 DEFAULT"], "auto"),
        (["trained resnet101 IMAGENET1K_V1"], "auto"),
        (["other resnet50 net.pth crop=64 - untrained"], "auto"),
        (["a resnet50 IMAGENET1K_V1", "b resnet50 IMAGENET1K_V1 - Fine"], "IMAGENET1K_V1"),
        (["a resnet50 IMAGENET1K_V1", "b resnet50 IMAGENET1K_V2 - Fine"], "IMAGENET1K_V1"),
        (["a resnet50 IMAGENET1K_V1 - resnet50", "b resnet50 net.pth - Fine"], "IMAGENET1K_V1"),
        (
            ["a resnet50 IMAGENET1K_V1 - Fine"],
            "IMAGENET1K_V1",
        ),  # of another family: better than none
    ],
)
def test_an_untrained_network_is_shown_what_its_trained_twins_are(shown, others, preprocessing):
    found = shown(UNTRAINED, *others)
    assert found.pop("untrained") == preprocessing
    given = [[*row.split(), "-"][3].replace("-", "auto") for row in others]
    assert list(found.values()) == given  # of the trained ones nothing changes


def test_a_row_that_says_what_is_shown_is_as_it_says(shown):
    trained = "trained resnet50 IMAGENET1K_V1"
    assert shown(trained, "untrained resnet50 none crop=64")["untrained"] == "crop=64"
    assert shown(trained, "first resnet50 initial.pth - - untrained")["first"] == "IMAGENET1K_V1"
    assert shown(trained, "other resnet50 net.pth")["other"] == "auto"


def test_all_rows_of_the_table_count_whichever_are_chosen(shown):
    rows = [UNTRAINED, "trained resnet50 IMAGENET1K_V1", "other alexnet none"]
    assert shown(*rows, names=["untrained"]) == {"untrained": "IMAGENET1K_V1"}


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ("IMAGENET1K_V2", "'IMAGENET1K_V1' and 'IMAGENET1K_V2'"),
        ("net.pth", "'DEFAULT' and 'IMAGENET1K_V1'"),
        ("IMAGENET1K_V1 imagenet", "'IMAGENET1K_V1' and 'imagenet'"),
    ],
)
def test_twins_that_are_not_shown_the_same_are_asked_about(shown, other, named):
    rows = [UNTRAINED, "a resnet50 IMAGENET1K_V1", f"b resnet50 {other}", "c alexnet none"]
    with pytest.raises(InputError) as caught:
        shown(*rows)
    assert str(caught.value) == (
        f"models table: untrained: preprocessing: trained rows of resnet50 have {named};"
        " write one of them in this cell"
    )
    assert shown(*rows, names=["a", "b", "c"])["c"] == "auto"  # where it is not of the study
    assert shown(f"{UNTRAINED} IMAGENET1K_V2", *rows[1:])["untrained"] == "IMAGENET1K_V2"


def test_the_shipped_tables_say_themselves_what_is_shown():
    """So that nobody's features of them were extracted otherwise before."""
    for table in (REPOSITORY / "config").rglob("*.tsv"):
        models = read_models(table, "all", SCHEMA)
        lines = table.read_text().splitlines()
        column = lines[0].split("\t").index("preprocessing")
        assert [row["preprocessing"] for row in models.values()] == [
            line.split("\t")[column] for line in lines[1:]
        ]
