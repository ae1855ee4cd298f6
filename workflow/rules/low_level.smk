# What is known of images without any network: once for all fits that look beyond it.


rule low_level:
    input:
        stimuli="resources/<study>/stimuli.nc",
    output:
        features="resources/<study>/low_level.nc",
    log:
        "logs/<study>/low_level.log",
    benchmark:
        "results/<study>/benchmarks/low_level.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    params:
        stimuli_made_by=of(settings.stimuli_made_by),
        settings=STUDY.section("low_level"),
        code=code("low_level"),
    script:
        "../scripts/low_level.py"
