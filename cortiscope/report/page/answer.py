"""The answer of a study in words, made from its tables: what can be said, and what cannot."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import factorial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cortiscope.report.ceilings import LEVEL
from cortiscope.report.house_style import number, p_text, records
from cortiscope.report.page.limits import limits
from cortiscope.report.page.wording import (
    Tables,
    groups,
    interval,
    joined,
    listed,
    named,
    of_pair,
    percent,
    too_few_resamples,
)

NONE = "no relation of accuracy with brain score is seen"


class Said(NamedTuple):
    """What the tables say of the scores of a mapping, or of all where its name is empty."""

    mapping: str
    text: str


@dataclass(frozen=True)
class Part:
    """A question, and what is said to it, whole sentences each."""

    question: str
    said: tuple[Said, ...]


def answer(tables: Tables, bootstraps: int) -> list[Part]:
    """All questions with their answers, in the order in which they are asked.

    tables: by the names of their files. bootstraps: resamples of the stimuli, which limit how small
    a p-value of a pair of models can be.
    """
    return [
        Part("Which network explains which area best?", tuple(explained(tables, bootstraps))),
        Part("Do better classifiers predict the brain better?", tuple(follows(tables))),
        Part("What does training add?", tuple(training(tables))),
        Part("Which depth fits which area?", tuple(depths(tables))),
        Part("What cannot be said?", tuple(Said("", text) for text in limits(tables, bootstraps))),
    ]


def lead(tables: Tables) -> str:
    """The answer of the first mapping in a few lines; empty where it has no score."""
    headline = tables["accuracy_vs_brain"]
    first = headline[headline["mapping"] == headline["mapping"].iloc[0]].dropna(subset=["score"])
    if first.empty:
        return ""
    mapping = first["mapping"].iloc[0]
    plain = tables["correlations"]
    plain = plain[
        (plain["mapping"] == mapping) & (plain["given"] == "nothing") & (plain["models"] == "all")
    ].dropna(subset=["r"])
    sentences = []
    if len(plain):
        grouped: dict[str, list[str]] = {}
        for row in records(plain):
            grouped.setdefault(_direction(row), []).append(row.area)
        said = [f"in {joined(areas)}, {how}" for how, areas in grouped.items()]
        sentences.append(f"by {mapping}, {'; '.join(sorted(said, key=lambda one: NONE in one))}")
    best = first.loc[first.groupby("area", sort=False)["score"].idxmax()]
    shares = [
        f"{percent(row.score_of_ceiling)} in {row.area} ({row.model})"
        for row in records(best.dropna(subset=["score_of_ceiling"]))
    ]
    if shares:
        sentences.append(f"of what the noise allows, the best networks reach {listed(shares)}")
    return " ".join(f"{text[0].upper()}{text[1:]}." for text in sentences)


def explained(tables: Tables, bootstraps: int) -> Iterator[Said]:
    """A sentence or two per mapping and area: the best network, and how far below the ceiling."""
    headline = tables["accuracy_vs_brain"]
    for mapping, area, rows in groups(headline):
        scored = rows.dropna(subset=["score"])
        if scored.empty:
            yield Said(mapping, f"No network has a score in {area}.")
            continue
        best = scored.iloc[int(scored["score"].argmax())]
        layer = f" (layer {best['best_layer']})" if named(best["best_layer"]) else ""
        who = f"best by {best['model']}{layer}" if len(scored) > 1 else f"by {best['model']}{layer}"
        if len(scored) == 1:
            who += ", the only network," if len(rows) == 1 else ", the only one with a score,"
        score = f"{number(best['score'])}{interval(best['score_low'], best['score_high'])}"
        sentence = f"{area} is explained {who} with {score}{_share(best)}."
        if best["p_value"] > LEVEL:
            sentence += f" That is not above chance (p {p_text(best['p_value'])})."
        elif len(scored) > 1 and not too_few_resamples(tables, mapping, area, bootstraps):
            sentence += _rivals(tables, mapping, area, str(best["model"]))
        yield Said(mapping, sentence)


def _share(best: pd.Series) -> str:
    """How far a score is below its ceiling."""
    if np.isfinite(best["ceiling"]) and np.isfinite(best["score_of_ceiling"]):
        share = percent(best["score_of_ceiling"])
        return f", {share} of the ceiling of {number(best['ceiling'])}"
    if best["ceiling_p"] > LEVEL:
        return "; the recordings do not repeat by more than chance"
    return "; the ceiling is not known"


def _rivals(tables: Tables, mapping: str, area: str, best: str) -> str:
    """The networks that cannot be told from the best one."""
    pairs = of_pair(tables["model_comparisons"], mapping, area).dropna(subset=["p_adjusted"])
    pairs = pairs[(pairs["first_model"] == best) | (pairs["second_model"] == best)]
    if pairs.empty:
        return ""
    close = pairs[pairs["p_adjusted"] > LEVEL]
    names = [
        row.second_model if row.first_model == best else row.first_model for row in records(close)
    ]
    if names:
        return f" It cannot be told apart from {listed(names)} (adjusted p above {LEVEL})."
    others = "every other network" if len(pairs) > 1 else "the other network"
    return f" It is ahead of {others} (adjusted p ≤ {LEVEL})."


def follows(tables: Tables) -> Iterator[Said]:
    """A sentence or two per mapping and area: the correlation of accuracy with score."""
    plain = tables["correlations"]
    plain = plain[(plain["given"] == "nothing") & plain["r"].notna()]
    for mapping, area, rows in groups(plain):
        by = {row.models: row for row in records(rows)}
        if "all" not in by:
            continue
        found, trained = by["all"], by.get("trained")
        sentence = f"In {area}, {_direction(found)}: {_r(found)}, {found.n_models} networks."
        if trained is not None and trained.n_models < found.n_models:
            alone = f" Among the {trained.n_models} trained networks alone, {_r(trained)}"
            if found.p_value <= LEVEL < trained.p_value:
                alone += ": that networks are trained may be what counts, not how well they do"
            sentence += f"{alone}."
        yield Said(mapping, sentence)
    if plain.empty:
        known = tables["accuracy_vs_brain"].dropna(subset=["top1", "score"])["model"].nunique()
        yield Said(
            "",
            f"That cannot be said: {'no' if known == 0 else known} network"
            f"{'s have' if known > 1 else ' has'} both a known accuracy and a score, and it takes "
            "three that differ.",
        )


def _direction(found: Any) -> str:
    if not found.p_value <= LEVEL:
        return NONE
    better = "better" if found.r > 0 else "worse"
    if found.r_low <= 0 <= found.r_high:
        return f"networks that classify better seem to predict {better}, but the interval holds 0"
    return f"networks that classify better predict {better}"


def _r(found: Any) -> str:
    span = interval(found.r_low, found.r_high)
    return f"r = {number(found.r)}{span}, p {p_text(found.p_value)}"


def training(tables: Tables) -> Iterator[Said]:
    """A sentence per mapping and area: what trained networks score above their untrained twins."""
    known = tables["contrasts"].dropna(subset=["difference"])
    if known.empty:
        yield Said("", f"That cannot be said: {_without_pairs(tables['accuracy_vs_brain'])}.")
    for mapping, area, pairs in groups(known):
        mean = pairs["difference"].mean()
        verb = "adds" if mean >= 0 else "takes away"
        size = number(abs(mean))
        if len(pairs) == 1:
            pair = pairs.iloc[0]
            span = interval(pair["difference_low"], pair["difference_high"])
            p = f"adjusted p {p_text(pair['p_adjusted'])}"
            yield Said(mapping, f"In {area}, training {verb} {size}{_signed(span, mean)}, {p}.")
            continue
        sure = pairs[pairs["p_adjusted"] <= LEVEL]["difference"]
        lowest, highest = number(pairs["difference"].min()), number(pairs["difference"].max())
        gain, lose = int((sure > 0).sum()), int((sure < 0).sum())
        yield Said(
            mapping,
            f"In {area}, training {verb} {size} on average over {len(pairs)} pairs of twins "
            f"(differences of {lowest} to {highest}): beyond chance (adjusted p ≤ {LEVEL}), "
            f"{gain or 'none'} {'gains' if gain == 1 else 'gain'} and {lose or 'none'} "
            f"{'loses' if lose == 1 else 'lose'}.",
        )


def _signed(span: str, mean: float) -> str:
    """The interval of a difference; where it is said how much is lost, that it is of the gain."""
    return span if mean >= 0 else span.replace("interval", "interval of the difference")


def _without_pairs(headline: pd.DataFrame) -> str:
    kinds = set(headline["training"])
    if kinds == {"untrained"}:
        return "no network of this study is trained"
    if "untrained" not in kinds:
        return "no untrained network stands beside the trained ones"
    return "no trained network has an untrained twin of its architecture, family and preprocessing"


def depths(tables: Tables) -> Iterator[Said]:
    """A sentence per mapping: where the best layers lie, and whether that follows the hierarchy."""
    hierarchy, headline = tables["hierarchy"], tables["accuracy_vs_brain"]
    for mapping in dict.fromkeys(headline["mapping"]):
        rows = headline[headline["mapping"] == mapping]
        found = hierarchy[hierarchy["mapping"] == mapping].dropna(subset=["best_depth"])
        for group in ("trained models", "all models"):
            chosen = found[found["model"] == group].sort_values("rank")
            if len(chosen):
                places = _places(dict(zip(chosen["area"], chosen["best_depth"], strict=True)))
                who = group.replace("models", "networks")
                text = f"The best layers of {who} lie at {places}; {_order(chosen)}."
                yield Said(mapping, text)
                break
        else:
            depth = rows.dropna(subset=["depth"]).groupby("area", sort=False)["depth"].mean()
            if len(depth):
                yield Said(mapping, f"The best layers lie at {_places(depth.to_dict())}.")
    if headline["depth"].isna().all():
        yield Said("", "That cannot be said: no layer was chosen for any area.")


def _places(depth: Mapping[Any, float]) -> str:
    each = [f"{number(value)} in {area}" for area, value in depth.items()]
    return f"a mean depth of {joined(each)} (0 is the first operation, 1 the last)"


def _order(chosen: pd.DataFrame) -> str:
    rho, p, n = chosen["rho"].iloc[0], chosen["p_value"].iloc[0], len(chosen)
    if not np.isfinite(rho):
        return "of fewer than three areas, that says nothing of a hierarchy"
    told = f"ρ = {number(rho)}, p {p_text(p)}"
    if p <= LEVEL:
        return f"deeper layers explain higher areas ({told})"
    if rho > 0 and 1 / factorial(n) > LEVEL:
        return (
            f"deeper layers go with higher areas ({told}), but the few orders of {n} areas cannot "
            f"give a p below {1 / factorial(n):.2f}"
        )
    return f"that does not follow the hierarchy of the areas beyond chance ({told})"
