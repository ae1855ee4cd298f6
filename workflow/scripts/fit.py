"""Score a block of a model's layers against areas, by one mapping."""

from pathlib import Path

from cortiscope import job
from cortiscope.errors import InputError
from cortiscope.features import read_layers, read_stimulus_ids
from cortiscope.files import read_coordinate, write
from cortiscope.fitting import fit
from cortiscope.mapping_kinds import coordinates
from cortiscope.responses import read_area


def main(
    features: str,
    responses: str,
    stimuli: str,
    scores: list[str],
    layers: list[str],
    settings: dict,
    mapping: str,
    model: str,
    provenance: dict,
) -> None:
    named = {name for names in coordinates(settings).values() for name in names}
    about_stimuli = {name: read_coordinate(stimuli, name) for name in sorted(named)}
    shown = read_stimulus_ids(features).tolist()
    for path in scores:
        area = read_area(responses, Path(path).stem)
        if shown != area.stimulus_id.tolist():
            raise InputError(
                features, f"stimuli differ from those of {responses}", "delete it, rerun"
            )
        variables = fit(mapping, read_layers(features, layers), area, settings, about_stimuli)
        about = {
            "model": model,
            "area": area.name,
            "mapping": mapping,
            "protocol": settings.get(mapping, {}).get("protocol", ""),
            "selection": "repetitions" if area.repeated else "stimuli",
        }
        write(path, variables, about | provenance)


if __name__ == "__main__":
    job.run(main)
