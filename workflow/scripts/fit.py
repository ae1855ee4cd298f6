"""Score a block of a model's layers against areas, by one mapping."""

from cortiscope import job
from cortiscope.errors import InputError
from cortiscope.experiment.responses import read_areas
from cortiscope.file_names import name_of
from cortiscope.files import check_made_by, read_coordinate, write
from cortiscope.mappings.by_subject import repeated, trials_needed
from cortiscope.mappings.fitting import fit_areas
from cortiscope.mappings.kinds import MAPPINGS, coordinates
from cortiscope.mappings.kinds import low_level as models
from cortiscope.networks.features import read_layers, read_stimulus_ids


def main(
    features: str,
    responses: str,
    stimuli: str,
    low_level: str | None,
    scores: list[str],
    layers: list[str],
    features_made_by: str,
    responses_made_by: str,
    stimuli_made_by: str,
    settings: dict,
    mapping: str,
    model: str,
    provenance: dict,
) -> None:
    check_made_by(features, features_made_by)
    check_made_by(responses, responses_made_by)
    check_made_by(stimuli, stimuli_made_by)
    named = {name for names in coordinates(settings).values() for name in names}
    about_stimuli = {name: read_coordinate(stimuli, name) for name in sorted(named)}
    if low_level:
        about_stimuli |= {name: read_coordinate(low_level, name) for name in models(settings)}
    areas = read_areas(responses, [name_of(path) for path in scores], trials_needed(settings))
    shown = read_stimulus_ids(features).tolist()
    if any(area.stimulus_id.tolist() != shown for area in areas):
        raise InputError(features, f"stimuli differ from those of {responses}", "delete it, rerun")
    fitted = fit_areas(mapping, read_layers(features, layers), areas, settings, about_stimuli)
    for path, area, variables in zip(scores, areas, fitted, strict=True):
        halves_of = "repetitions" if repeated(area, MAPPINGS[mapping], settings) else "stimuli"
        about = {
            "model": model,
            "area": area.name,
            "mapping": mapping,
            "protocol": settings.get(mapping, {}).get("protocol", ""),
            "null_method": settings["statistics"].get("null_method", ""),
            "halved": halves_of if settings["selection"]["method"] == "halves" else "",
        }
        write(path, variables, about | provenance)


if __name__ == "__main__":
    job.run(main)
