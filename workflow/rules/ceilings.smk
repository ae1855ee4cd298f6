# The highest score a perfect model could reach, given the noise of the recordings.
# A job takes as many areas as one of `fit` does: time bins are areas, of a second's work each.


rule ceilings:
    input:
        responses="resources/<study>/responses.nc",
    output:
        ceilings=expand("results/<study>/ceilings/{area}.nc", area=FIT_AREAS),
    log:
        f"logs/<study>/ceilings/{FIT_LOG}.log",
    benchmark:
        f"results/<study>/benchmarks/ceilings/{FIT_LOG}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=of(costs.ceilings_memory),
        runtime=of(costs.ceilings_minutes),
    params:
        responses_made_by=of(settings.responses_made_by),
        settings=STUDY.section("ceilings", "rsa"),
        subjects=STUDY.config["statistics"]["subjects"],
        code=code("ceilings"),
    script:
        "../scripts/ceilings.py"
