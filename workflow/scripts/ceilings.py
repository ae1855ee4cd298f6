"""The highest score a perfect model could reach in one area, given the noise."""

from cortiscope import job
from cortiscope.experiment.responses import read_area
from cortiscope.files import write
from cortiscope.noise_ceilings.ceilings import area_ceilings


def main(responses: str, ceilings: str, area: str, settings: dict, provenance: dict) -> None:
    recorded = read_area(responses, area)
    # Of both sections, each an argument of its name.
    variables, n_unreliable = area_ceilings(recorded, **settings["ceilings"], **settings["rsa"])
    about = {"area": area, "n_recorded": recorded.n_recorded, "n_unreliable": n_unreliable}
    about["known_by"] = "responses" if recorded.dissimilarity is None else "dissimilarities"
    write(ceilings, variables, about | provenance)


if __name__ == "__main__":
    job.run(main)
