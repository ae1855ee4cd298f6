"""Join the tables of all models: best layers, and what they say together."""

from cortiscope import job
from cortiscope.report.tables import join_parquet, study_tables, write_csv


def main(
    model_layers: list[str],
    model_neuroids: list[str],
    scores: str,
    layers: str,
    layer_weights: str,
    accuracy_vs_brain: str,
    correlations: str,
    contrasts: str,
    model_comparisons: str,
    hierarchy: str,
    subjects: str,
    settings: dict,
    provenance: dict,
) -> None:
    tables = study_tables(
        model_layers, settings["seed"], settings["correction"], settings["hierarchy"]
    )
    write_csv(tables["layers"], layers)
    write_csv(tables["layer_weights"], layer_weights)
    write_csv(tables["accuracy_vs_brain"], accuracy_vs_brain)
    write_csv(tables["correlations"], correlations)
    write_csv(tables["contrasts"], contrasts)
    write_csv(tables["model_comparisons"], model_comparisons)
    write_csv(tables["hierarchy"], hierarchy)
    write_csv(tables["subjects"], subjects)
    join_parquet(model_neuroids, scores, provenance)


if __name__ == "__main__":
    job.run(main)
