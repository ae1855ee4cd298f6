"""Responses in tables, long or wide, and dissimilarities, are what was written."""

import itertools

import numpy as np
import pandas as pd
import pytest

from cortiscope.errors import InputError
from cortiscope.experiment.formats import find
from tests.recording_files import AREAS, DEPTHS, IDS, check, read, responses, write_tables

NAMES = ["00", "01", "02", "03", "04"]


def write(table, path):
    if path.suffix == ".parquet":
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    assert find("responses", [str(path)]).__name__.endswith(".tables")
    return path


def long_table(values):
    rows = [
        (IDS[stimulus], NAMES[neuroid], repetition + 1, AREAS[neuroid], DEPTHS[neuroid], value)
        for (stimulus, repetition, neuroid), value in np.ndenumerate(values)
    ]
    columns = ["stimulus_id", "neuroid_id", "repetition", "area", "depth", "value"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_a_long_table(tmp_path, ending):
    """Its rows in any order, with the neuroids' coordinates in it; text stays text."""
    values = responses(np.float64)
    table = long_table(values).assign(trial=range(values.size))
    shuffled = table.sample(frac=1, random_state=0)
    found = read(write(shuffled, tmp_path / f"long.{ending}"), shown=IDS)
    order = [found["neuroid_id"].values.tolist().index(name) for name in NAMES]
    check(found.isel(neuroid=order), values)
    assert "trial" not in found


def test_a_long_table_without_what_was_not_recorded(tmp_path):
    values = responses(np.float64)
    found = read(write(long_table(values).dropna(subset="value"), tmp_path / "long.csv"), shown=IDS)
    check(found, values)


def test_a_long_table_that_numbers_no_repetitions(tmp_path):
    values = np.random.default_rng(4).normal(size=(7, 3, 5))
    table = long_table(values).drop(columns="repetition")
    check(read(write(table, tmp_path / "long.csv"), shown=IDS), values)


def test_the_same_neuroid_names_in_two_subjects(tmp_path):
    values = np.random.default_rng(4).normal(size=(7, 3, 5))
    both = [long_table(values).assign(subject=subject) for subject in ("01", "02")]
    found = read(write(pd.concat(both), tmp_path / "long.csv"), shown=IDS)
    assert found["subject"].values.tolist() == ["01"] * 5 + ["02"] * 5
    check(found.isel(neuroid=slice(5, None)), values)


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_a_wide_table_of_presentations(tmp_path, ending):
    values = responses(np.float64)
    rows = values.reshape(-1, 5)
    table = pd.DataFrame(rows, columns=NAMES)
    table.insert(0, "stimulus_id", np.repeat(IDS, 3))
    table["category"], table["session"] = "face", 7
    path = write(table, tmp_path / f"wide.{ending}")
    neuroids = write_tables(tmp_path)["neuroids_table"]
    check(read(path, neuroids_table=neuroids, shown=IDS), values)
    alone = read(path, shown=IDS)  # which are neuroids, without a table of these
    assert alone["neuroid_id"].values.tolist() == NAMES
    assert set(alone["area"].values) == {"all"}


def test_a_wide_table_of_stimuli(tmp_path):
    """As Conwell et al. (2021) have it: a row for each cell, a column for each image."""
    values = responses(np.float64)[:, 0]
    table = pd.DataFrame(values.T, columns=IDS)
    table.insert(0, "cell_specimen_id", NAMES)
    path = write(table, tmp_path / "average.csv")
    check(read(path, neuroids_table=write_tables(tmp_path)["neuroids_table"]), values)


def test_rows_are_found_by_the_names_of_neuroids(tmp_path):
    tables = write_tables(tmp_path)
    about = pd.read_csv(tables["neuroids_table"], dtype={"neuroid_id": str})[::-1]
    about.to_csv(tables["neuroids_table"], index=False)
    path = write(long_table(responses(np.float64)), tmp_path / "long.csv")
    check(read(path, neuroids_table=tables["neuroids_table"], shown=IDS), responses(np.float64))
    about[1:].to_csv(tables["neuroids_table"], index=False)
    with pytest.raises(InputError, match=r"neuroid_id: lacks 1 neuroids of .* \('04'\); give it"):
        read(path, neuroids_table=tables["neuroids_table"])


def test_a_row_that_stands_twice_is_one_line(tmp_path):
    table = long_table(responses(np.float64))
    path = write(pd.concat([table, table[8:9]]), tmp_path / "long.csv")
    with pytest.raises(InputError, match=r"csv: 000, neuroid_id 03: has repetition 2 twice"):
        read(path)


def rdm():
    rdm = 1 - np.corrcoef(np.random.default_rng(5).normal(size=(7, 20)))
    np.fill_diagonal(rdm, 0)
    return (rdm + rdm.T) / 2


def check_rdm(found, expected=None, n_rdms=1):
    expected = rdm() if expected is None else expected
    assert found["dissimilarity"].shape == (n_rdms, 7, 7)
    np.testing.assert_array_equal(found["dissimilarity"].values[0], expected)
    assert found["stimulus_id"].values.tolist() == IDS.tolist()


def test_square_tables_of_dissimilarities(tmp_path):
    tables = {"stimuli_table": write_tables(tmp_path)["stimuli_table"]}
    settings = {"variable": "dissimilarity"}
    named = pd.DataFrame(rdm(), index=IDS, columns=IDS)
    named.to_csv(tmp_path / "named.csv")
    check_rdm(read(tmp_path / "named.csv", **settings))
    named.iloc[::-1].to_csv(tmp_path / "reversed.csv")
    check_rdm(read(tmp_path / "reversed.csv", shown=IDS, **settings))
    named.to_csv(tmp_path / "headed.csv", index=False)
    check_rdm(read(tmp_path / "headed.csv", **settings))
    named.to_csv(tmp_path / "bare.csv", index=False, header=False)
    check_rdm(read(tmp_path / "bare.csv", **settings, **tables))


def test_condensed_tables_of_dissimilarities(tmp_path):
    tables = {"stimuli_table": write_tables(tmp_path)["stimuli_table"]}
    pairs = pd.DataFrame(rdm()[np.triu_indices(7, 1)])
    pairs.to_csv(tmp_path / "column.csv", index=False, header=False)
    pairs.T.to_csv(tmp_path / "row.csv", index=False, header=False)
    for name in ("column", "row"):
        check_rdm(read(tmp_path / f"{name}.csv", variable="dissimilarity", **tables))


def test_a_row_for_each_pair(tmp_path):
    both = {("V1", "a"): rdm(), ("IT", "a"): rdm() ** 2}
    rows = [
        (area, subject, IDS[second], IDS[first], values[first, second])
        for (area, subject), values in both.items()
        for first, second in itertools.combinations(range(7), 2)
    ]
    columns = ["area", "subject", "stimulus_id", "stimulus_id_2", "value"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "pairs.csv", index=False)
    found = read(tmp_path / "pairs.csv", shown=IDS, variable="dissimilarity")
    check_rdm(found, n_rdms=2)
    assert found["rdm_area"].values.tolist() == ["V1", "IT"]


@pytest.mark.parametrize("wide", [True, False])
def test_presentations_are_left_out(tmp_path, wide):
    values = np.random.default_rng(6).normal(size=(7, 3, 5))
    if wide:
        table = pd.DataFrame(values.reshape(-1, 5), columns=NAMES)
        table.insert(0, "stimulus_id", np.repeat(IDS, 3))
        table["trial"] = np.tile([1, 2, 3], 7)
    else:
        table = long_table(values).rename(columns={"repetition": "trial"})
    path = write(table, tmp_path / "table.csv")
    found = read(path, shown=IDS, exclude=["trial == 2"])
    response = found["response"].transpose("stimulus", "repetition", "neuroid")
    np.testing.assert_array_equal(response, values[:, [0, 2]].astype(np.float32))
    once = read(path, shown=IDS, exclude=["trial == 2", "trial > 2"])
    assert "repetition" not in once.dims or once.sizes["repetition"] == 1
    np.testing.assert_array_equal(
        once["response"].squeeze().transpose("stimulus", "neuroid"), values[:, 0].astype(np.float32)
    )
    for exclude, line in (
        ("trail == 2", r"exclude: the presentations have no column 'trail'; use one of .*trial"),
        ("trial", r"config: responses.exclude: 'trial' is no condition; write a coordinate"),
        ("trial > 0", r"config: responses.exclude: leaves no presentation; exclude fewer"),
    ):
        with pytest.raises(InputError, match=line):
            read(path, shown=IDS, exclude=[exclude])
