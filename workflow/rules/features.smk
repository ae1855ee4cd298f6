# One forward pass a model serves all its layers: a GPU job's start-up is paid once.


rule features:
    input:
        stimuli="resources/<study>/stimuli.nc",
        weights=model_weights,
    output:
        features="results/<study>/features/{model}.nc",
    params:
        row=model_row,
        layers=model_layers,
        settings=STUDY.section("features"),
        code=code("features"),
    log:
        "logs/<study>/features/{model}.log",
    benchmark:
        "benchmarks/<study>/features/{model}.tsv"
    threads: 2
    resources:
        mem_mb=features_memory,
    conda:
        "../../envs/torch.yaml"
    script:
        "../scripts/features.py"


rule accuracy:
    input:
        weights=model_weights,
        images=STUDY.validation_images(),
    output:
        accuracy="results/<study>/accuracy/{model}.csv",
    params:
        row=model_row,
        device=STUDY.config["features"]["device"],
        code=code("accuracy"),
    log:
        "logs/<study>/accuracy/{model}.log",
    benchmark:
        "benchmarks/<study>/accuracy/{model}.tsv"
    threads: 2
    resources:
        mem_mb=4000,
    conda:
        "../../envs/torch.yaml"
    script:
        "../scripts/accuracy.py"
