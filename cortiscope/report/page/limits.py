"""What the tables of a study cannot say."""

from collections.abc import Iterator

import pandas as pd

from cortiscope.report.ceilings import LEVEL
from cortiscope.report.house_style import number, records
from cortiscope.report.page.wording import Tables, counted, groups, listed, too_few_resamples

FEW_MODELS, FEW_FAMILIES = 10, 3  # below these, a correlation over models rests on a few of them
LOW_CEILING = 0.3


def limits(tables: Tables, bootstraps: int) -> Iterator[str]:
    """What the tables leave open: few models, low ceilings, scores that are not above chance."""
    headline = tables["accuracy_vs_brain"]
    scored = headline.dropna(subset=["score"])
    yield from _few_models(headline)
    yield from _ceilings(scored)
    yield from _chance(headline, scored)
    crowded = [
        f"{area} by {mapping}"
        for mapping, area, _ in groups(headline)
        if too_few_resamples(tables, mapping, area, bootstraps)
    ]
    if crowded:
        yield (
            f"Which of two networks is better cannot be said in {listed(crowded)}: with "
            f"{bootstraps} resamples of the stimuli, no p-value is small enough once it is "
            "adjusted for the number of pairs."
        )
    plain = tables["correlations"]
    if (plain[plain["given"] == "nothing"]["p_value"] <= LEVEL).any():
        yield "That accuracy and brain score go together does not say that one makes the other."
    if len(scored):
        yield _over_whom(scored)


def _few_models(headline: pd.DataFrame) -> Iterator[str]:
    known = headline.dropna(subset=["top1", "score"]).drop_duplicates("model")
    n, families = len(known), known["family"].nunique()
    if n == 0:
        yield "Accuracies are not known, so that nothing is said of them."
    elif n < FEW_MODELS:
        yield (
            f"The accuracy of {counted(n, 'network')} with a score is known: over so few, a "
            "correlation has a wide interval, and a single network can make or break it."
        )
    elif families < FEW_FAMILIES:
        yield (
            f"The networks are of {counted(families, 'family')}: what holds among them need not "
            "hold among others."
        )
    sources = set(known["accuracy_source"].dropna()) & {"measured", "published"}
    if len(sources) > 1:
        yield "Some accuracies are measured and some published, which need not compare."


def _ceilings(scored: pd.DataFrame) -> Iterator[str]:
    areas = scored.drop_duplicates(["mapping", "area"])
    known = areas[areas["ceiling"].notna()]
    low = [
        f"{row.area} by {row.mapping} ({number(row.ceiling)})"
        for row in records(known[known["ceiling"] < LOW_CEILING])
    ]
    if low:
        yield (
            f"The ceiling is low in {listed(low)}: little of what is recorded there repeats, so "
            "that good and bad networks can hardly be told apart."
        )
    unknown = areas[areas["ceiling"].isna()]
    noisy = unknown[unknown["ceiling_p"] > LEVEL]
    if len(noisy):
        names = listed(list(dict.fromkeys(noisy["area"])))
        yield f"Recordings of {names} do not repeat by more than chance: there is no ceiling."
    other = unknown.drop(noisy.index)
    if len(other):
        names = listed([f"{row.area} by {row.mapping}" for row in records(other)])
        yield f"How high a perfect model could score is not known in {names}."


def _chance(headline: pd.DataFrame, scored: pd.DataFrame) -> Iterator[str]:
    missing = len(headline) - len(scored)
    if missing:
        yield f"{missing} of {len(headline)} scores (a network, an area, a mapping) are missing."
    if len(scored) and scored["p_value"].isna().all():
        yield "No stimuli were permuted, so that no score is tested against chance."
    chance = scored[scored["p_value"] > LEVEL]
    if len(chance):
        named = [f"{row.model} in {row.area} by {row.mapping}" for row in records(chance)]
        are = "is" if len(chance) == 1 else "are"
        yield (
            f"Of {counted(len(scored), 'score')}, {len(chance)} {are} not above chance "
            f"(p above {LEVEL}, each by itself): {listed(named)}."
        )


def _over_whom(scored: pd.DataFrame) -> str:
    subjects = int(scored["n_subjects"].fillna(0).max())
    if subjects < 2:
        return "Intervals hold for other stimuli of the same kind, not for other subjects."
    return f"Intervals hold for other stimuli of the same kind; there were {subjects} subjects."
