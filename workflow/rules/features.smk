# One forward pass a model serves all its layers: a GPU job's start-up is paid once.


rule features:
    input:
        stimuli="resources/<study>/stimuli.nc",
        weights=of(STUDY.weights_file),
        architecture=of(STUDY.architecture_file),
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
        mem_mb=of(costs.features_memory),
    params:
        row=of(STUDY.shown_row),
        layers=of(STUDY.layer_table),
        settings=of(settings.features_settings),
        stimuli_made_by=of(settings.stimuli_made_by),
        code=of(settings.features_code),
    script:
        "../scripts/features.py"


rule accuracy:
    input:
        weights=of(STUDY.weights_file),
        architecture=of(STUDY.architecture_file),
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
        mem_mb=of(costs.accuracy_memory),
    params:
        row=of(STUDY.network_row),
        folder=STUDY.validation_folder(),
        images_digest=of(settings.labelled_images_digest),
        device=STUDY.config["features"]["device"],
        code=of(settings.accuracy_code),
    script:
        "../scripts/accuracy.py"
