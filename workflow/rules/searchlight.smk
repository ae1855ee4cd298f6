# Where in a volume of voxels a layer's dissimilarities are found: a sphere around every voxel.


rule searchlight:
    input:
        features="results/<study>/features/{model}.nc",
        responses="resources/<study>/responses.nc",
    output:
        searchlight="results/<study>/searchlight/{model}/{area}.nc",
    log:
        "logs/<study>/searchlight/{model}/{area}.log",
    benchmark:
        "results/<study>/benchmarks/searchlight/{model}/{area}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=of(costs.searchlight_memory),
        runtime=of(costs.searchlight_minutes),
    params:
        layers=of(STUDY.layers),
        features_made_by=of(settings.features_made_by),
        responses_made_by=of(settings.responses_made_by),
        settings=STUDY.section("searchlight", "statistics"),
        code=code("searchlight"),
    script:
        "../scripts/searchlight.py"


SEARCHLIGHTS = expand(
    "results/<study>/searchlight/{model}/{area}.nc", model=STUDY.models, area=AREAS
)
