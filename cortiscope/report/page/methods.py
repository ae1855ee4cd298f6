"""The methods of a study as a paragraph for its paper, with their references."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cortiscope.report.house_style import measure
from cortiscope.report.page.wording import joined, listed

BIBLIOGRAPHY = Path(__file__).with_name("references.bib")
CITED = re.compile(r"([A-Z][\w-]+)(?:(?:,| and| et al\.) ?[A-Z]?[\w-]*)* (\d{4})")
OPTION = re.compile(r"`(\w+): (\w+)`")
NAMED_OPTION = re.compile(r"\s*(crossnobis):")
NAMED_VALUES = 4  # of an option; of more, the first and the last
PROJECTIONS = {
    "exact": "replaced by their principal coordinates over the stimuli, which loses nothing",
    "fold": "summed with random signs to {components} components",
    "srp": "projected by a sparse random matrix to {components} components",
    "none": "taken as they are",
}
CORRECTIONS = {"holm": "Holm's method", "fdr": "Benjamini and Hochberg's method"}
NULLS = {
    "refitted": "models fitted anew to each",
    "moved": "held-out predictions moved against the responses",
}


def methods(
    settings: Mapping[str, Any], headline: pd.DataFrame, provenance: Mapping[str, Any]
) -> str:
    """A paragraph; settings: see `planning.settings.page_settings`."""
    sentences = [_material(settings, headline), _features(settings)]
    sentences += [_mapping(name, settings) for name in settings["mappings"]]
    sentences += [_held_out(settings), _statistics(settings), _best(headline), _ceilings(settings)]
    sentences.append(_software(provenance))
    return " ".join(filter(None, sentences))


def _material(settings: Mapping[str, Any], headline: pd.DataFrame) -> str:
    models, areas = headline["model"].nunique(), list(dict.fromkeys(headline["area"]))
    shown = f"{settings['n_stimuli']} stimuli"
    if settings["repetitions"] > 1:
        shown += f", shown {settings['repetitions']} times"
    sources = set(headline["accuracy_source"].dropna())
    accuracy = f" Their top-1 accuracies are {joined(sorted(sources))}." if sources else ""
    verb = "networks were" if models > 1 else "network was"
    return f"{models} {verb} compared with {joined(areas)}, recorded for {shown}.{accuracy}"


def _features(settings: Mapping[str, Any]) -> str:
    said = []
    for projection, components, n_models in settings["projections"]:
        number = str(components or "as many as the Johnson-Lindenstrauss bound asks")
        how = PROJECTIONS[projection].format(components=number)
        said.append((how, f"those of {n_models} networks" if n_models > 1 else "those of one"))
    if len(said) == 1:
        return f"The activations of every layer were {said[0][0]}."
    return f"Activations were kept so: {'; '.join(f'{of} {how}' for how, of in said)}."


def _mapping(name: str, settings: Mapping[str, Any]) -> str:
    row = settings["mappings"][name]
    own = row["settings"].get(name, {})
    chosen = "; ".join(f"{key} {_value(value)}" for key, value in own.items() if value != "")
    if name != "rsa" and "rsa" in row["settings"]:
        chosen = "; ".join(filter(None, [chosen, _options(row["settings"]["rsa"])]))
    details = "; ".join(filter(None, [chosen, *sources(row)]))
    return f"By {name} ({details}) the score is {measure(name, settings['comparison'])}."


def _options(section: Mapping[str, Any]) -> str:
    return "; ".join(f"{key} {_value(value)}" for key, value in section.items())


def _value(value: Any) -> str:
    if isinstance(value, list):
        return (
            f"{value[0]} to {value[-1]}"
            if len(value) > NAMED_VALUES
            else joined([str(item) for item in value])
        )
    return str(value)


def _read_of(settings: Mapping[str, Any], section: str) -> dict[str, Any]:
    """What all mappings together read of a section."""
    found: dict[str, Any] = {}
    for row in settings["mappings"].values():
        found |= row["settings"].get(section, {})
    return found


def _held_out(settings: Mapping[str, Any]) -> str:
    how = _read_of(settings, "cross_validation")
    if "folds" not in how:  # no mapping learns anything
        return ""
    if how["split"]:
        return f"Scores are of the stimuli that `{how['split']}` gives for testing."
    folds = "one stimulus at a time" if how["folds"] == "loo" else f"{how['folds']} folds"
    group = f" of whole values of {how['group']}" if how["group"] else ""
    block = f" of runs of {how['block']} stimuli" if how["block"] else ""
    return f"Scores are of held-out stimuli ({folds}{group}{block}, seed {how['seed']})."


def _statistics(settings: Mapping[str, Any]) -> str:
    how = _read_of(settings, "statistics")
    found = sorted(
        {
            row["settings"].get("statistics", {}).get("null_method", "")
            for row in settings["mappings"].values()
        }
        & set(NULLS)
    )
    null = f" ({listed([NULLS[name] for name in found])})" if found else ""
    tested = (
        f"p-values of scores are from {how['permutations']} permutations of the stimuli{null}, "
        if how["permutations"]
        else "scores were not tested against permutations, "
    )
    correction = CORRECTIONS[settings["correction"]]
    text = (
        f"{tested}intervals (95 %) and differences between networks from {how['bootstraps']} "
        f"resamples of the stimuli, corrected for their number by {correction}."
    )
    return text[0].upper() + text[1:]


def _best(headline: pd.DataFrame) -> str:
    words = list(dict.fromkeys(headline["selection"].dropna()))
    return f"The layer that counts was chosen so: {listed(words)}." if words else ""


def _ceilings(settings: Mapping[str, Any]) -> str:
    how = settings["ceilings"]
    if settings["given_ceilings"]:
        return "Ceilings are published ones."
    if settings["repetitions"] < 2:
        return ""
    made = (
        f"correlations of random halves of the repetitions ({how['splits']} splits)"
        if how["method"] == "split_half"
        else "correlations of each repetition with the mean of the others"
    )
    return f"Ceilings are from {made}."


def _software(provenance: Mapping[str, Any]) -> str:
    packages = json.loads(provenance["packages"]).items()
    versions = ", ".join(f"{name} {version}" for name, version in packages)
    commit = str(provenance["git_commit"])[:12]
    return f"All was computed by Cortiscope (commit {commit}) with {versions}."


def references(settings: Mapping[str, Any]) -> str:
    """BibTeX of what the mappings cite; a source that is not in the bibliography as a note."""
    known = {
        key: entry
        for entry in BIBLIOGRAPHY.read_text(encoding="utf-8").splitlines()
        for key in re.findall(r"^@\w+\{([^,]+),", entry)
    }
    found: dict[str, str] = {}
    for name, row in settings["mappings"].items():
        for source in sources(row):
            for key in cited(source) or [name]:
                found[key] = known.get(key, f"@misc{{{key}, note = {{{source}}}}}")
    return "\n".join(_spread(found[key]) for key in sorted(found))


def sources(row: Mapping[str, Any]) -> list[str]:
    """The works that a mapping stands on, without those of options that were not chosen.

    In the docs these stand as `option: work`, or as work (`key: value`).
    """
    options = {
        (key, str(value))
        for section in row["settings"].values()
        for key, value in section.items()
        if isinstance(value, str)
    }
    values, found = {value for _, value in options}, []
    for item in row["source"].split(";"):
        asked, named = OPTION.search(item), NAMED_OPTION.match(item)
        if (asked and asked.groups() not in options) or (named and named[1] not in values):
            continue
        found.append(re.sub(r"\s*\(.*\)|^.*: ", "", item).strip())
    return [work for work in found if work]


def cited(source: str) -> list[str]:
    """The keys of the works that a source names: `Nili et al. 2014` is nili2014."""
    return [f"{author.lower()}{year}" for author, year in CITED.findall(source)]


def _spread(entry: str) -> str:
    """A field a line, as people read BibTeX."""
    return re.sub(r", (?=\w+ = \{)", ",\n  ", entry)
