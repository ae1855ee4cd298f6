"""The highest score a perfect model could reach in each area, given the noise."""

from cortiscope import job
from cortiscope.experiment.responses import read_areas
from cortiscope.file_names import name_of
from cortiscope.files import check_made_by, write
from cortiscope.noise_ceilings.ceilings import area_ceilings


def main(
    responses: str,
    ceilings: list[str],
    responses_made_by: str,
    settings: dict,
    subjects: str,
    provenance: dict,
) -> None:
    check_made_by(responses, responses_made_by)
    areas = read_areas(responses, [name_of(path) for path in ceilings])
    for path, area in zip(ceilings, areas, strict=True):
        # Of both sections, each an argument of its name.
        asked = settings["ceilings"] | settings["rsa"]
        variables, n_unreliable = area_ceilings(area, **asked, subjects=subjects)
        about = {
            "area": area.name,
            "n_recorded": area.n_recorded,
            "n_subjects": area.n_subjects,
            "n_unreliable": n_unreliable,
            "known_by": "responses" if area.dissimilarity is None else "dissimilarities",
        }
        write(path, variables, about | provenance)


if __name__ == "__main__":
    job.run(main)
