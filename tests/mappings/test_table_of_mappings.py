"""The table of mappings is what the docs show; a new row reruns no other mapping's fits.

`python -m tests.mappings.test_table_of_mappings` writes the tables of docs/mappings.md anew.
"""

import re

import pytest
from numpy.testing import assert_array_equal

from cortiscope.mappings import kinds
from cortiscope.mappings.kinds import MAPPINGS, Kind
from cortiscope.planning.costs.fit_seconds import FORMULAS
from cortiscope.planning.digest import mapping_digest
from tests.running import REPOSITORY

PAGE = REPOSITORY / "docs" / "mappings.md"
COLUMNS = {
    "equation": "equation",
    "source": "source",
    "tested_against": "tested against",
    "tolerance": "tolerance",
    "seconds": "cost",
}
HEAD = f"| mapping | {' | '.join(COLUMNS.values())} |\n|{'---|' * (1 + len(COLUMNS))}\n"


def table(of_neuroids: bool) -> str:
    """That of the mappings which predict neuroids, or of those which compare stimuli."""
    shown = {name: kind.docs for name, kind in MAPPINGS.items() if kind.of_neuroids == of_neuroids}
    rows = {
        name: [docs[key].replace("|", r"\|") for key in COLUMNS] for name, docs in shown.items()
    }
    return HEAD + "".join(f"| `{name}` | {' | '.join(cells)} |\n" for name, cells in rows.items())


def with_tables(page: str) -> str:
    """The page with its two tables as they are to be."""
    made = iter((table(True), table(False)))
    return re.sub(re.escape(HEAD) + r"(\|.*\n)+", lambda _: next(made), page)


def test_the_docs_show_the_table() -> None:
    page = PAGE.read_text()
    assert page.count(HEAD) == 2
    assert with_tables(page) == page
    prose = re.sub(r"^\|.*\n", "", page, flags=re.M)
    assert [name for name in MAPPINGS if f"`{name}`" not in prose] == []


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_row_is_whole(mapping: str) -> None:
    kind = MAPPINGS[mapping]
    assert_array_equal(kind.sections, sorted(kind.sections))
    assert {"selection", "statistics"} <= set(kind.sections)
    assert not kind.settings or mapping in kind.sections
    assert kind.cost["formula"] in FORMULAS
    assert (REPOSITORY / "cortiscope" / "mappings" / f"{mapping}.py").is_file()


def test_a_fit_is_known_by_what_it_depends_on_of_its_own_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def digests() -> list[str]:
        mapping_digest.cache_clear()
        return [mapping_digest(mapping) for mapping in ("ridge", "rsa")]

    before, ridge = digests(), kinds.MAPPINGS["ridge"]
    monkeypatch.setitem(kinds.MAPPINGS, "kernel_ridge", Kind(("selection", "statistics")))
    row = {"cost": {"formula": "comparison"}, "docs": {"seconds": "1"}, "settings": {"a": {}}}
    monkeypatch.setitem(kinds.MAPPINGS, "ridge", Kind(ridge.sections, **row))
    assert digests() == before
    for edited in ({"joint": True}, {"ceiling": "cka_ceiling"}, {"squared": True}):
        monkeypatch.setitem(kinds.MAPPINGS, "ridge", Kind(ridge.sections, **edited))
        found = digests()
        assert (found[0] == before[0], found[1] == before[1]) == (False, True)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
