"""Gather the scores of one model, layer by layer and neuroid by neuroid."""

from cortiscope import job
from cortiscope.report.made_as_asked import check_accuracy, check_making
from cortiscope.report.model_tables import model_tables
from cortiscope.report.parquet import write_frame, write_parquet


def main(
    scores: list[str],
    ceilings: list[str],
    accuracy: str,
    layers: str,
    neuroids: str,
    labels: dict,
    given_ceilings: dict,
    given_layers: dict,
    made_by: dict,
    model: str,
    provenance: dict,
) -> None:
    check_making([*scores, *ceilings], made_by)
    check_accuracy(accuracy, made_by["accuracy"])
    layer_table, neuroid_table = model_tables(
        scores, ceilings, accuracy, model, labels, given_ceilings, given_layers
    )
    write_frame(layer_table, layers, provenance)
    write_parquet(neuroid_table, neuroids, provenance)


if __name__ == "__main__":
    job.run(main)
