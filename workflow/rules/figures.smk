# The figures of the paper, each with the numbers it draws.

# The pages of the figures, by the names of their files.
PAGES = plan.plan(
    STUDY.areas,
    STUDY.config["mappings"],
    STUDY.labels_by_model,
    STUDY.config["figures"]["font_size"],
)


def page(figure):
    return PAGES[figure]


def tables(figure):
    return [f"results/{STUDY.name}/tables/{name}.csv" for name in plan.tables(figure)]


def figure_code(figure):
    return code_digest("figures", f"report.figures.{PAGES[figure]['figure']}")


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
        code=of(figure_code),
    script:
        "../scripts/figures.py"
