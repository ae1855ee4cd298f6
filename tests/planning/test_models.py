"""The models table, as far as its rows are filled in."""

import pytest

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
