"""Whether p-values can be small at all: none is below what the number of draws allows."""

from cortiscope.networks.twins import twins
from cortiscope.planning.study import Study

LEVEL = 20  # a p-value below 1 / 20 is meant to be possible


def too_few(study: Study) -> list[str]:
    """A line for every table in which no p-value can be below 0.05, with the draws that it takes.

    Of as many resamples as there are, the smallest two-sided p-value is 2 / (bootstraps + 1); by
    holm, that of m tests is multiplied by m, by fdr only if it is alone (`multiple_comparisons`).
    Of permutations, the smallest is 1 / (permutations + 1).
    """
    statistics = study.config["statistics"]
    permutations, bootstraps = statistics["permutations"], statistics["bootstraps"]
    found = []
    if 0 < permutations < LEVEL:
        where = f"statistics.permutations: with {permutations} no p_value of a score"
        found.append(f"{where} can be below 0.05; give {LEVEL} or more")
    by_holm = statistics["correction"] == "holm"
    for table, n_tests in tests(study).items():
        enough = 2 * LEVEL * (n_tests if by_holm else 1)
        if n_tests and 0 < bootstraps < enough:
            where = f"statistics.bootstraps: with {bootstraps} none of {n_tests} p_adjusted"
            other = ", or set statistics.correction: fdr" if by_holm and n_tests > 1 else ""
            found.append(f"{where} in {table} can be below 0.05; give {enough} or more{other}")
    return found


def tests(study: Study) -> dict[str, int]:
    """Table to how many tests are corrected together in it: by mapping, or by mapping and area."""
    contrasts = twins({model: study.labels(model) for model in study.models})
    pairs = len(study.models) * (len(study.models) - 1) // 2
    return {"contrasts.csv": len(contrasts) * len(study.areas), "model_comparisons.csv": pairs}
