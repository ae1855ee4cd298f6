# What was shown, and what the brain did.


rule stimuli:
    input:
        source=STUDY.source("stimuli"),
    output:
        stimuli="resources/<study>/stimuli.nc",
    params:
        settings=STUDY.section("stimuli"),
        code=code("stimuli"),
    log:
        "logs/<study>/stimuli.log",
    benchmark:
        "benchmarks/<study>/stimuli.tsv"
    conda:
        "../../envs/analysis.yaml"
    localrule: True
    script:
        "../scripts/stimuli.py"


rule validation:
    output:
        images="resources/<study>/validation.nc",
    params:
        count=STUDY.config["accuracy"]["count"],
        code=code("validation"),
    log:
        "logs/<study>/validation.log",
    benchmark:
        "benchmarks/<study>/validation.tsv"
    conda:
        "../../envs/analysis.yaml"
    localrule: True
    script:
        "../scripts/validation.py"


rule responses:
    input:
        source=STUDY.source("responses"),
        stimuli="resources/<study>/stimuli.nc",
    output:
        responses="resources/<study>/responses.nc",
    params:
        settings=STUDY.response_settings(),
        code=code("responses"),
    log:
        "logs/<study>/responses.log",
    benchmark:
        "benchmarks/<study>/responses.tsv"
    conda:
        "../../envs/analysis.yaml"
    localrule: True
    script:
        "../scripts/responses.py"
