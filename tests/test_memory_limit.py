"""Jobs on this machine ask for no more memory together than it has."""

import re
import shutil

import pytest

from cortiscope.networks.memory import total_on_host
from tests.running import REPOSITORY, TINY

TOO_MUCH = ("--set-resources", "features:mem_mb=100000000")
FEATURES = [f"results/shapes/features/{model}.nc" for model in ("shapenet5", "shapenet5_untrained")]


@pytest.fixture
def study(tiny, workflow):
    shutil.copytree(tiny.folder, workflow.folder, dirs_exist_ok=True)
    return workflow


def asked(workflow, *options):
    """The memory that features jobs ask for, in a dry run."""
    done = workflow.forked("--dry-run", "--force", *options, "--", FEATURES[0], config=TINY)
    assert done.returncode == 0, done.stdout
    return {int(words) for words in re.findall(r"resources:.* mem_mb=(\d+)", done.stdout)}


def test_a_job_asks_for_no_more_than_the_machine_has(study):
    assert asked(study, *TOO_MUCH) == {total_on_host() // 10**6}
    assert max(asked(study)) < total_on_host() // 10**6
    assert asked(study, *TOO_MUCH, "--resources", "mem_mb=12000") == {12000}
    assert asked(study, *TOO_MUCH, "--resources", "mem=12GB") == {12000}


def test_a_clusters_jobs_have_the_limits_of_the_cluster(study):
    profile = ("--workflow-profile", str(REPOSITORY / "profiles" / "slurm"))
    assert asked(study, *TOO_MUCH, *profile) == {100000000}


def test_two_large_jobs_run_one_after_the_other_and_are_done(study):
    done = study.forked("--force", *TOO_MUCH, "--", *FEATURES, config=TINY)
    assert done.returncode == 0, done.stdout[-3000:]
    events = re.findall(r"rule features:|Finished jobid: .*features", done.stdout)
    assert [event.split()[0] for event in events] == ["rule", "Finished"] * 2
    # A limit is no reason to do anything again.
    again = study.forked("--dry-run", "--", *FEATURES, config=TINY)
    assert "Nothing to be done" in again.stdout
