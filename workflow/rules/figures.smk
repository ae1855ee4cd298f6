# The figures of the paper, each with the numbers it draws.

# The pages of the figures, by the names of their files.
PAGES = plan(
    STUDY.areas,
    STUDY.config["mappings"],
    STUDY.labels_by_model,
    STUDY.config["figures"]["font_size"],
)


def page(figure):
    return PAGES[figure]


rule figures:
    input:
        layers="results/<study>/tables/layers.csv",
        accuracy_vs_brain="results/<study>/tables/accuracy_vs_brain.csv",
        correlations="results/<study>/tables/correlations.csv",
        contrasts="results/<study>/tables/contrasts.csv",
        subjects="results/<study>/tables/subjects.csv",
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
        code=code("figures"),
    script:
        "../scripts/figures.py"
