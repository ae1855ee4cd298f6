# Models x layers x areas: every block of layers against every area, by every mapping.


rule fit:
    input:
        features="results/<study>/features/{model}.nc",
        responses="resources/<study>/responses.nc",
        stimuli=STUDY.grouping_stimuli(),
    output:
        scores="results/<study>/scores/{mapping}/{model}/{layers}/{area}.nc",
    params:
        layers=block_layers,
        settings=mapping_settings,
        code=mapping_code,
    log:
        "logs/<study>/scores/{mapping}/{model}/{layers}/{area}.log",
    benchmark:
        "benchmarks/<study>/scores/{mapping}/{model}/{layers}/{area}.tsv"
    threads: 1
    resources:
        mem_mb=fit_memory,
    conda:
        "../../envs/analysis.yaml"
    script:
        "../scripts/fit.py"
