"""Render the labelled images on which the embedded study measures accuracy."""

from cortiscope import embedded, job
from cortiscope.recordings import save


def main(images: str, count: int, seed: int, provenance: dict) -> None:
    save(embedded.stimuli(count, seed, stream="validation"), images, provenance)


if __name__ == "__main__":
    job.run(main)
