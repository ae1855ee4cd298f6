# Which layer of which vision network predicts which brain area, and do better classifiers predict
# brains better? One config is one study; this file is its methods section.

from snakemake.utils import min_version

min_version("9.14")


configfile: f"{workflow.basedir}/config/config.yaml"


report: "workflow/report/study.rst"


include: "workflow/rules/common.smk"


# <study> in a path is the study's name: one config, one study.
pathvars:
    study=STUDY.name,


# 1. Stimuli were shown to an animal (or simulated), and its responses recorded.
include: "workflow/rules/stimuli.smk"
# 2. Networks came from a table, with their published or trained weights.
include: "workflow/rules/models.smk"
# 3. Each network saw the stimuli once; every layer's activations were projected and kept.
include: "workflow/rules/features.smk"
# Low-level models saw them too, where layers are to explain more than these.
include: "workflow/rules/low_level.smk"
# 4. Every layer was compared with every area, on stimuli held out.
include: "workflow/rules/fits.smk"
# 5. The noise of the recordings set the ceiling.
include: "workflow/rules/ceilings.smk"
# 6. What the stimuli are was read out of every layer and every area.
include: "workflow/rules/decoding.smk"
# 7. Layers were looked for around every voxel of a volume.
include: "workflow/rules/searchlight.smk"
# 8. Scores were gathered into tables, drawn, and put on a page.
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        tables=rules.tables.output,
        figures=expand(rules.figures.output, figure=PAGES),
        page=rules.report.output,
        # Not only what is made of them, so that one that was deleted is made again.
        scores=of(FITS.deleted_scores),
        ceilings=expand("results/<study>/ceilings/{area}.nc", area=AREAS),
        accuracy=expand("results/<study>/accuracy/{model}.csv", model=STUDY.models),
        # Where the config asks for them.
        decoding=DECODED if settings.properties(STUDY.config) else [],
        searchlight=SEARCHLIGHTS if STUDY.config["searchlight"]["radius"] else [],


# 9. What was found is said as a run ends.
onsuccess:
    if found := headline(Path("results", STUDY.name)):
        print(found, flush=True)
