# Models x layers x areas: every block of layers against every area, by every mapping.


rule fit:
    input:
        features="results/<study>/features/{model}.nc",
        responses="resources/<study>/responses.nc",
        stimuli=grouping_stimuli,
    output:
        scores="results/<study>/scores/{mapping}/{model}/{layers}/{area}.nc",
    log:
        "logs/<study>/scores/{mapping}/{model}/{layers}/{area}.log",
    benchmark:
        "results/<study>/benchmarks/scores/{mapping}/{model}/{layers}/{area}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=fit_memory,
        runtime=fit_runtime,
    params:
        layers=block_layers,
        settings=mapping_settings,
        code=mapping_code,
    script:
        "../scripts/fit.py"
