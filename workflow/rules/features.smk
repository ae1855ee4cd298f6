# One forward pass a model serves all its layers: a GPU job's start-up is paid once.


rule features:
    input:
        stimuli="resources/<study>/stimuli.nc",
        weights=model_weights,
        architecture=model_architecture,
    output:
        features="results/<study>/features/{model}.nc",
    log:
        "logs/<study>/features/{model}.log",
    benchmark:
        "results/<study>/benchmarks/features/{model}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=features_memory,
    params:
        row=model_row,
        layers=model_layers,
        settings=STUDY.features_settings(),
        stimuli_made_by=stimuli_made_by,
        code=features_code,
    script:
        "../scripts/features.py"


rule accuracy:
    input:
        weights=model_weights,
        architecture=model_architecture,
        images=STUDY.validation_images(),
    output:
        accuracy="results/<study>/accuracy/{model}.csv",
    log:
        "logs/<study>/accuracy/{model}.log",
    benchmark:
        "results/<study>/benchmarks/accuracy/{model}.tsv"
    # Nothing is shown to the network where published figures are copied.
    localrule: STUDY.config["accuracy"]["images"] == "published"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=accuracy_memory,
    params:
        row=network_row,
        folder=STUDY.validation_folder(),
        images_digest=labelled_images_digest,
        device=STUDY.config["features"]["device"],
        code=accuracy_code,
    script:
        "../scripts/accuracy.py"
