# The highest score a perfect model could reach, given the noise of the recordings.


rule ceilings:
    input:
        responses="resources/<study>/responses.nc",
    output:
        ceilings="results/<study>/ceilings/{area}.nc",
    log:
        "logs/<study>/ceilings/{area}.log",
    benchmark:
        "results/<study>/benchmarks/ceilings/{area}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    params:
        settings=STUDY.section("ceilings", "rsa"),
        code=code("ceilings"),
    script:
        "../scripts/ceilings.py"
