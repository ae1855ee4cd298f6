# What was shown, and what the brain did.


rule stimuli:
    input:
        source=STUDY.source("stimuli"),
    output:
        stimuli="resources/<study>/stimuli.nc",
        independence="results/<study>/independence/stimuli.csv",
    log:
        "logs/<study>/stimuli.log",
    benchmark:
        "results/<study>/benchmarks/stimuli.tsv"
    localrule: is_light(STUDY.source("stimuli"))
    conda:
        "../../envs/analysis.yaml"
    params:
        settings=settings.stimulus_settings(STUDY),
        images_digest=of(settings.images_digest),
        code=code("stimuli", *settings.stimulus_modules(STUDY)),
    script:
        "../scripts/stimuli.py"


rule validation:
    output:
        images="resources/<study>/validation.nc",
    log:
        "logs/<study>/validation.log",
    benchmark:
        "results/<study>/benchmarks/validation.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        settings=STUDY.section("accuracy"),
        code=code("validation"),
    script:
        "../scripts/validation.py"


rule responses:
    input:
        source=STUDY.source("responses"),
        stimuli="resources/<study>/stimuli.nc",
    output:
        responses="resources/<study>/responses.nc",
        independence="results/<study>/independence/responses.csv",
    log:
        "logs/<study>/responses.log",
    benchmark:
        "results/<study>/benchmarks/responses.tsv"
    localrule: is_light(STUDY.source("responses"))
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=of(costs.responses_memory),
    params:
        settings=settings.response_settings(STUDY),
        stimuli_made_by=of(settings.stimuli_made_by),
        code=code("responses", *settings.response_modules(STUDY)),
    script:
        "../scripts/responses.py"
