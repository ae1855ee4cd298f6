"""The table of edits: what an edit is, and how many jobs of each rule rerun together."""

MODELS, MAPPINGS, FIGURES = 3, 2, 4
DRAWN = {"tables": 1, "figures": FIGURES, "report": 1}
TABLES = {"model_table": MODELS, **DRAWN}
FITS = {"fit": MODELS * MAPPINGS, **TABLES}
ONE_MAPPING = {"fit": MODELS, **TABLES}  # a job scores all layers of a model in all areas
READ_OUT = {"decoding_table": 1, "decoding_figure": 1}
OF_MODELS = {"decode_model": MODELS, **READ_OUT}
OF_AREAS = {"decode_area": 1, **READ_OUT}  # likewise
DECODED = {**OF_MODELS, **OF_AREAS}
ONE_MODEL = {
    "features": 1,
    "fit": MAPPINGS,
    "model_table": 1,
    **DRAWN,
    "decode_model": 1,
    **READ_OUT,
}

EDITS = []


def edit(sentence, **jobs):
    """Register an edit: a function of an `Edited` study; jobs: how many of each rule must run."""

    def register(change):
        EDITS.append((sentence, jobs, change))
        return change

    return register


def markdown():
    """The table of edits for docs/reruns.md."""
    made = ("validation", "responses", "features", "accuracy", "low_level", "fit", "ceilings")
    order = (*made, *TABLES, "decode_model", "decode_area", *READ_OUT)
    lines = ["| Edit | Jobs that run |", "| --- | --- |"]
    for sentence, jobs, _ in EDITS:
        shown = ", ".join(f"{jobs[rule]} {rule}" for rule in order if rule in jobs)
        lines.append(f"| {sentence} | {shown or 'none'} |")
    return "\n".join(lines)
