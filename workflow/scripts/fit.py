"""Score a block of a model's layers against one area, by one mapping."""

from cortiscope import job
from cortiscope.errors import InputError
from cortiscope.features import read_layers, read_stimulus_ids
from cortiscope.files import read_coordinate, write
from cortiscope.fitting import fit
from cortiscope.responses import read_area


def main(
    features: str,
    responses: str,
    stimuli: str | None,
    scores: str,
    layers: list[str],
    settings: dict,
    mapping: str,
    model: str,
    area: str,
    provenance: dict,
) -> None:
    recorded = read_area(responses, area)
    if read_stimulus_ids(features).tolist() != recorded.stimulus_id.tolist():
        raise InputError(features, f"stimuli differ from those of {responses}", "delete it, rerun")
    group = settings.get("cross_validation", {}).get("group")
    groups = read_coordinate(stimuli, group) if stimuli and group else None
    variables = fit(mapping, read_layers(features, layers), recorded, settings, groups)
    about = {
        "model": model,
        "area": area,
        "mapping": mapping,
        "protocol": settings.get("ridge", {}).get("protocol", ""),
        "selection": "repetitions" if recorded.repeated else "stimuli",
    }
    write(scores, variables, about | provenance)


if __name__ == "__main__":
    job.run(main)
