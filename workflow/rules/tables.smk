# From score files to the accuracy-versus-brain table.


rule model_table:
    input:
        scores=model_scores,
        ceilings=expand("results/<study>/ceilings/{area}.nc", area=STUDY.areas),
        accuracy="results/<study>/accuracy/{model}.csv",
    output:
        layers="results/<study>/tables/models/{model}.layers.parquet",
        neuroids="results/<study>/tables/models/{model}.neuroids.parquet",
    params:
        labels=model_labels,
        code=code("model_table"),
    log:
        "logs/<study>/tables/{model}.log",
    benchmark:
        "benchmarks/<study>/tables/{model}.tsv"
    conda:
        "../../envs/report.yaml"
    script:
        "../scripts/model_table.py"


rule tables:
    input:
        layers=expand(
            "results/<study>/tables/models/{model}.layers.parquet", model=STUDY.models
        ),
        neuroids=expand(
            "results/<study>/tables/models/{model}.neuroids.parquet", model=STUDY.models
        ),
    output:
        scores="results/<study>/tables/scores.parquet",
        layers="results/<study>/tables/layers.csv",
        accuracy_vs_brain="results/<study>/tables/accuracy_vs_brain.csv",
        correlations="results/<study>/tables/correlations.csv",
        contrasts="results/<study>/tables/contrasts.csv",
    params:
        settings=STUDY.section("statistics"),
        code=code("tables"),
    log:
        "logs/<study>/tables.log",
    benchmark:
        "benchmarks/<study>/tables.tsv"
    conda:
        "../../envs/report.yaml"
    script:
        "../scripts/tables.py"
