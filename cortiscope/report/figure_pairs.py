"""The pairs of a trained model and its untrained twin, as figures show them."""

import pandas as pd

from cortiscope.report.house_style import records
from cortiscope.report.pages import Page, pair_names

ALPHA = 0.05


def pairs_on_page(contrasts: pd.DataFrame, page: Page) -> tuple[pd.DataFrame, dict[str, str]]:
    """The rows of a page, each with its `pair`; and the pairs with what they are called."""
    named = contrasts.assign(pair=contrasts["trained_model"] + " / " + contrasts["untrained_model"])
    pairs = named.drop_duplicates("pair")
    called = pair_names([(row.trained_model, row.untrained_model) for row in records(pairs)])
    every = list(zip(pairs["pair"], called, strict=True))
    names = dict(every[page.first : page.last])
    of_page = named["mapping"].isin(page.mappings) & named["area"].isin(page.areas)
    return named[of_page & named["pair"].isin(list(names))], names
