"""The arithmetic of the efficiency table, where no SLURM can be started."""

import pytest

from cortiscope import efficiency
from cortiscope.efficiency import megabytes, parse, rule_name, seconds, summary

TABLE = """\
7|COMPLETED|2|4000M||02:00:00|01:30:00|02:15:00|1|rule_fit_wildcards_ridge_a|sbatch --wrap=a | b
7.batch|COMPLETED|2||204800K||01:30:00|00:10.000|1||
7.0|COMPLETED|2||1G||01:29:00|02:14:50|1||
8|TIMEOUT|2|8000M||04:00:00|00:30:00|00:15:00|1|rule_fit_wildcards_ridge_b|
8.0|CANCELLED|2||512M||00:30:00|00:15:00|1||
9|RUNNING|1|100M||00:10:00|00:01:00|00:00:00|1|rule_tables|
10|COMPLETED|1|1000M||00:30:00|00:20:00|00:20:00|1||sbatch --comment rule_tables -A a
10.0|COMPLETED|1||900M||00:20:00|00:20:00|1||
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [("776424K", 776424 / 1024), ("4025M", 4025), ("2.5G", 2560), ("0", 0), ("", 0)],
)
def test_sizes(text, expected):
    assert megabytes(text) == expected


def test_sizes_of_old_slurms_are_for_each_cpu_or_node():
    assert megabytes("4Gc", cpus=3, nodes=2) == 3 * 4096
    assert megabytes("4Gn", cpus=3, nodes=2) == 2 * 4096


@pytest.mark.parametrize(
    ("text", "expected"),
    [("00:24", 24), ("00:10.499", 10.499), ("02:00:00", 7200), ("1-01:00:01", 90001), ("", 0)],
)
def test_times(text, expected):
    assert seconds(text) == expected


def test_rules_are_named_by_the_comment_else_by_how_the_job_was_submitted():
    assert rule_name("rule_model_table_wildcards_a", "") == "model_table"
    assert rule_name("", "sbatch --comment rule_fit_wildcards_ridge_a -A b") == "fit"
    assert rule_name("", "sbatch --comment rule_tables -A b") == "tables"
    assert rule_name("", "") == "?"


def test_a_row_adds_up_steps_and_takes_the_most_of_its_jobs():
    fit, tables = summary(parse(TABLE))
    assert fit[:7] == ("fit", "2", "1", "8000", "1224", "240", "90.0")
    # (2 h 15 min + 15 min) on 2 CPUs held for 2 h
    assert fit[7] == "62%"
    # 1,224 of 4,000 MB, but 90 of 120 minutes
    assert fit[8] == "mem_mb: 1900 * attempt"
    assert tables == ("tables", "1", "0", "1000", "900", "30", "20.0", "100%", "")


def test_the_newest_run_of_a_folder_is_found(tmp_path):
    logs = tmp_path / ".snakemake" / "log"
    logs.mkdir(parents=True)
    (logs / "2026-01-01.snakemake.log").write_text("SLURM run ID: first\n")
    (logs / "2026-01-02.snakemake.log").write_text("Building DAG\nSLURM run ID: second\n")
    (logs / "2026-01-03.snakemake.log").write_text("a local run\n")
    assert efficiency.latest_run(tmp_path) == "second"
