"""What a run found is said in a few lines."""

import pytest

from cortiscope.errors import InputError
from cortiscope.headline import MOST_ROWS, TABLE, headline

COLUMNS = "model,area,mapping,best_layer,score,score_low,score_high,score_of_ceiling"


def said(folder, rows):
    (folder / TABLE).parent.mkdir(exist_ok=True)
    (folder / TABLE).write_text("\n".join([COLUMNS, *rows]))
    return headline(folder).splitlines()


def test_the_best_models_of_each_area_stand_first(tmp_path):
    rows = [
        f"net{n},{area},ridge,conv{n},0.{n}04,-0.003,0.9,0.5" for n in range(9) for area in "ab"
    ]
    lines = said(tmp_path, rows)
    assert lines[0] == "area  mapping  model  layer  score  95 %          of ceiling"
    cells = [line.split() for line in lines[1:-2]]
    assert [(cell[0], cell[2]) for cell in cells] == [
        (area, f"net{n}") for area in "ab" for n in range(8, 1, -1)
    ]
    assert lines[1] == "a     ridge    net8   conv8  0.80   0.00 to 0.90  50%"
    assert lines[-1] == f"tables:   {tmp_path / 'tables'}"


def test_what_is_not_known_is_left_empty(tmp_path):
    lines = said(tmp_path, ["net,IT,rsa,,,,,", "other,IT,rsa,conv,0.25,,,"])
    assert lines[1:-2] == ["IT    rsa      other  conv   0.25"]


def test_many_areas_are_a_screen(tmp_path):
    lines = said(tmp_path, [f"net,area{n:02d},rsa,conv,0.25,,," for n in range(40)])
    assert len(lines) == 1 + MOST_ROWS + 2


def test_another_table_is_an_error_and_none_is_nothing(tmp_path):
    assert headline(tmp_path) == ""
    (tmp_path / TABLE).parent.mkdir()
    (tmp_path / TABLE).write_text("score\n0.5\n")
    with pytest.raises(InputError, match="is no such table"):
        headline(tmp_path)
