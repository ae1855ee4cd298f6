"""Show the stimuli to low-level models of images."""

from cortiscope import job
from cortiscope.experiment.low_level import MODELS
from cortiscope.experiment.stored_images import StoredImages
from cortiscope.files import Variable, check_made_by, opened, read_coordinate, write


def main(
    stimuli: str, features: str, stimuli_made_by: str, settings: dict, provenance: dict
) -> None:
    check_made_by(stimuli, stimuli_made_by)
    with opened(stimuli) as shown:
        images = StoredImages(shown).of_one_size()
    variables = {"stimulus_id": Variable(("stimulus",), read_coordinate(stimuli, "stimulus_id"))}
    for name in settings["low_level"]["models"]:
        found = MODELS[name](images).astype("float32")
        variables[name] = Variable(("stimulus", f"{name}_component"), found)
    write(features, variables, provenance)


if __name__ == "__main__":
    job.run(main)
