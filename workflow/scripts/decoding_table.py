"""Join what was decoded from all models and all areas."""

from cortiscope import job
from cortiscope.report.readouts import JOINED, join, write_rows


def main(models: list[str], areas: list[str], decoding: str, labels: dict) -> None:
    write_rows(decoding, join(models, areas, labels), JOINED)


if __name__ == "__main__":
    job.run(main)
