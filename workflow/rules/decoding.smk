# Properties of the stimuli, read out of every layer and of every area by the same linear readout.


rule decode_model:
    input:
        features="results/<study>/features/{model}.nc",
        stimuli="resources/<study>/stimuli.nc",
    output:
        decoded="results/<study>/decoding/models/{model}.csv",
    log:
        "logs/<study>/decoding/models/{model}.log",
    benchmark:
        "results/<study>/benchmarks/decoding/models/{model}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=of(costs.decode_model_memory),
        runtime=of(costs.decode_model_minutes),
    params:
        layers=of(STUDY.layers),
        features_made_by=of(settings.features_made_by),
        stimuli_made_by=of(settings.stimuli_made_by),
        settings=settings.decoding_settings(STUDY.section(*STUDY.config)),
        code=code("decode_model"),
    script:
        "../scripts/decode_model.py"


rule decode_area:
    input:
        responses="resources/<study>/responses.nc",
        stimuli="resources/<study>/stimuli.nc",
    output:
        decoded=expand("results/<study>/decoding/areas/{area}.csv", area=FIT_AREAS),
    log:
        f"logs/<study>/decoding/areas/{FIT_LOG}.log",
    benchmark:
        f"results/<study>/benchmarks/decoding/areas/{FIT_LOG}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=of(costs.decode_area_memory),
        runtime=of(costs.decode_area_minutes),
    params:
        responses_made_by=of(settings.responses_made_by),
        stimuli_made_by=of(settings.stimuli_made_by),
        settings=settings.decoding_settings(STUDY.section(*STUDY.config)),
        code=code("decode_area"),
    script:
        "../scripts/decode_area.py"


rule decoding_table:
    input:
        models=expand("results/<study>/decoding/models/{model}.csv", model=STUDY.models),
        areas=expand("results/<study>/decoding/areas/{area}.csv", area=AREAS),
    output:
        decoding="results/<study>/tables/decoding.csv",
    log:
        "logs/<study>/decoding_table.log",
    benchmark:
        "results/<study>/benchmarks/decoding_table.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        labels=STUDY.families(),
        areas_in_order=STUDY.areas,
        code=code("decoding_table"),
    script:
        "../scripts/decoding_table.py"


# Its picture is no other figure's: those are not drawn anew when another property is named.
ruleorder: decoding_figure > figures


rule decoding_figure:
    input:
        decoding="results/<study>/tables/decoding.csv",
    output:
        svg=report(
            "results/<study>/figures/decoding.svg",
            caption="../report/decoding.rst",
            category="Figures",
        ),
        png="results/<study>/figures/decoding.png",
        source="results/<study>/figures/decoding.csv",
    log:
        "logs/<study>/figures/decoding.log",
    benchmark:
        "results/<study>/benchmarks/figures/decoding.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        settings=STUDY.section("figures"),
        code=code("decoding_figure"),
    script:
        "../scripts/decoding_figure.py"


DECODED = [
    *rules.decoding_table.input.models,
    *rules.decoding_table.input.areas,
    *rules.decoding_table.output,
    *rules.decoding_figure.output,
]
