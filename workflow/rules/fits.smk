# Models x layers x areas: every block of layers against every area, by every mapping.
# Where it takes seconds, a job scores all areas (FIT_AREAS), else each has jobs of its own.


rule fit:
    input:
        features="results/<study>/features/{model}.nc",
        responses="resources/<study>/responses.nc",
        stimuli="resources/<study>/stimuli.nc",
        low_level=of(settings.low_level_file),
    output:
        scores=expand(
            "results/<study>/scores/{{mapping}}/{{model}}/{{layers}}/{area}.nc", area=FIT_AREAS
        ),
    log:
        f"logs/<study>/scores/{{mapping}}/{{model}}/{{layers}}/{FIT_LOG}.log",
    benchmark:
        f"results/<study>/benchmarks/scores/{{mapping}}/{{model}}/{{layers}}/{FIT_LOG}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=of(costs.fit_memory),
        runtime=of(FITS.minutes),
    params:
        layers=of(FITS.block_layers),
        features_made_by=of(settings.features_made_by),
        responses_made_by=of(settings.responses_made_by),
        stimuli_made_by=of(settings.stimuli_made_by),
        settings=of(settings.mapping_settings),
        code=of(mapping_digest),
    script:
        "../scripts/fit.py"
