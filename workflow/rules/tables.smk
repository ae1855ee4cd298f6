# From score files to the accuracy-versus-brain table.


rule model_table:
    input:
        scores=of(FITS.score_files),
        ceilings=expand("results/<study>/ceilings/{area}.nc", area=AREAS),
        accuracy="results/<study>/accuracy/{model}.csv",
    output:
        layers="results/<study>/tables/models/{model}.layers.parquet",
        neuroids="results/<study>/tables/models/{model}.neuroids.parquet",
    log:
        "logs/<study>/tables/{model}.log",
    benchmark:
        "results/<study>/benchmarks/tables/{model}.tsv"
    # One or two seconds of work: less than it costs to submit.
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        labels=of(STUDY.labels),
        made_by=of(settings.files_made_by),
        given_ceilings=given_ceilings(STUDY),
        given_layers=of(given_layers_of),
        code=code("model_table"),
    script:
        "../scripts/model_table.py"


rule tables:
    input:
        model_layers=expand(
            "results/<study>/tables/models/{model}.layers.parquet", model=STUDY.models
        ),
        model_neuroids=expand(
            "results/<study>/tables/models/{model}.neuroids.parquet", model=STUDY.models
        ),
    output:
        scores="results/<study>/tables/scores.parquet",
        layers="results/<study>/tables/layers.csv",
        layer_weights="results/<study>/tables/layer_weights.csv",
        accuracy_vs_brain="results/<study>/tables/accuracy_vs_brain.csv",
        correlations="results/<study>/tables/correlations.csv",
        contrasts="results/<study>/tables/contrasts.csv",
        model_comparisons="results/<study>/tables/model_comparisons.csv",
        hierarchy="results/<study>/tables/hierarchy.csv",
        subjects="results/<study>/tables/subjects.csv",
    log:
        "logs/<study>/tables.log",
    benchmark:
        "results/<study>/benchmarks/tables.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        settings=settings.table_settings(STUDY),
        models=list(STUDY.models),  # the order of the rows
        code=code("tables"),
    script:
        "../scripts/tables.py"
