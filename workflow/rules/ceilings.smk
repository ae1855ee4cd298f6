# The highest score a perfect model could reach, given the noise of the recordings.


rule ceilings:
    input:
        responses="resources/<study>/responses.nc",
    output:
        ceilings="results/<study>/ceilings/{area}.nc",
    params:
        settings=STUDY.section("ceilings"),
        code=code("ceilings"),
    log:
        "logs/<study>/ceilings/{area}.log",
    benchmark:
        "benchmarks/<study>/ceilings/{area}.tsv"
    threads: 1
    conda:
        "../../envs/analysis.yaml"
    script:
        "../scripts/ceilings.py"
