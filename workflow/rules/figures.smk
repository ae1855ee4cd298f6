# The figures of the paper, each with the numbers it draws.


rule figures:
    input:
        tables=of(tables),
    output:
        svg=report(
            "results/<study>/figures/{figure}.svg",
            caption="../report/figures.rst",
            category="Figures",
        ),
        png="results/<study>/figures/{figure}.png",
        source="results/<study>/figures/{figure}.csv",
    log:
        "logs/<study>/figures/{figure}.log",
    benchmark:
        "results/<study>/benchmarks/figures/{figure}.tsv"
    wildcard_constraints:
        figure="|".join(PAGES),
    # Someone waits for a figure whose style was changed; a queue would take longer than drawing it.
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        page=of(page),
        settings=STUDY.section("figures"),
        comparison=STUDY.config["rsa"]["comparison"],  # of which a panel says what its score is
        measures=of(measures),  # which a panel says too
        code=of(figure_code),
    script:
        "../scripts/figures.py"
