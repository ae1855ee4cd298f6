"""The layers of a study's models: tables in files, made where they are missing.

Nothing here imports torch: a missing table is made by `python -m cortiscope.layers`, in a process
of its own.
"""

import importlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cortiscope.networks import layer_tables
from cortiscope.networks.sources.given import Source, Stimuli

FOLDER = Path("resources/layers")
Row = Mapping[str, str]


def read(rows: Mapping[str, Row], repository: Path) -> dict[str, list[dict[str, str]]]:
    """Model to the table of its layers, in execution order; rows: what each is built from."""
    files = {model: FOLDER / f"{layer_tables.digest(row)}.csv" for model, row in rows.items()}
    missing = [rows[model] for model, file in files.items() if not file.is_file()]
    if missing:
        _make(missing, repository)
    return {model: layer_tables.read_table(file) for model, file in files.items()}


def given(row: Row, stimuli: Stimuli) -> list[dict[str, str]]:
    """The table of a row that has features and no network."""
    module = importlib.import_module(f"cortiscope.networks.sources.{row['source']}")
    source: Source = module.Source(row)
    return source.layers(stimuli)


def _make(rows: Sequence[Row], repository: Path) -> None:
    command = [sys.executable, "-m", "cortiscope.layers", "--output", str(FOLDER)]
    # Before what the user's own networks may import from.
    path = os.pathsep.join([str(repository), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path.rstrip(os.pathsep)}
    print(f"listing the layers of {len(rows)} models, once", file=sys.stderr, flush=True)
    done = subprocess.run(
        command,
        input=layer_tables.dump_models(rows),
        env=environment,
        text=True,
        stderr=subprocess.PIPE,
    )
    if done.returncode:
        # A bad row is its last line; anything else is shown whole.
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SystemExit(last if last.startswith("error: ") else done.stderr)
    for line in done.stderr.splitlines():
        if line.startswith("warning: "):
            print(line, file=sys.stderr, flush=True)
