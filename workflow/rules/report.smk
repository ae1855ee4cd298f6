# The page that people look at: the study's answer, charts, tables, stimuli and methods in one file.

PAGE_TABLES = (
    "accuracy_vs_brain",
    "contrasts",
    "correlations",
    "hierarchy",
    "layers",
    "model_comparisons",
)


rule report:
    input:
        tables=expand("results/<study>/tables/{table}.csv", table=PAGE_TABLES),
        scores="results/<study>/tables/scores.parquet",
        model_layers=rules.tables.input.model_layers,
        stimuli="resources/<study>/stimuli.nc",
    output:
        page="results/<study>/report.html",
    log:
        "logs/<study>/report.log",
    benchmark:
        "results/<study>/benchmarks/report.tsv"
    # Seconds, and what someone waits for at the end of a study.
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        stimuli_made_by=of(settings.stimuli_made_by),
        settings=settings.page_settings(STUDY),
        code=code("page"),
    script:
        "../scripts/page.py"
