"""What every rule's script shares: arguments by the rule's own names, a log, one-line errors."""

import inspect
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cortiscope import files
from cortiscope.errors import InputError
from cortiscope.file_names import decoded


def run(main: Callable[..., None]) -> None:
    """Call `main` with the inputs, outputs, params and wildcards that it names.

    `main` may also ask for `note`, which writes a line to the log and to the terminal, `threads`,
    `memory`, the megabytes that the rule asks for (0 where it does not say), and `provenance`, the
    attributes that its output files carry. All that it prints goes to the rule's log; a bad input
    ends the job with one line.
    """
    job: Any = vars(sys.modules["__main__"])["snakemake"]
    names = _names(job)
    terminal = _log_to(job.log[0])

    def note(line: str) -> None:
        for stream in (sys.stderr, terminal):
            print(f"note: {line}", file=stream, flush=True)

    names["note"] = note
    wanted = {name: names[name] for name in inspect.signature(main).parameters}
    try:
        main(**wanted)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        print(f"error: {error}", file=terminal)
        sys.exit(1)
    except Exception:
        traceback.print_exc()
        sys.exit(1)


def _names(job: Any) -> dict[str, Any]:
    memory = int(job.resources.get("mem_mb") or 0)
    names: dict[str, Any] = {"threads": job.threads, "memory": memory}
    names |= {key: decoded(value) for key, value in job.wildcards.items()}
    names |= dict(job.params.items())
    for part in (job.output, job.input):
        names |= {key: _plain(value) for key, value in part.items()}
    settings = {key: value for key, value in job.params.items() if key != "code"}
    code = str(job.params.get("code", ""))
    names["provenance"] = files.provenance(job.config["study"], job.rule, settings, code)
    return names


def _plain(value: Any) -> Any:
    """Of a list of files, a plain list, and None where there are none; of one file, its path."""
    if isinstance(value, list):
        return [str(item) for item in value] or None
    return value


def _log_to(path: str) -> Any:
    """Send standard output and error, also of libraries in C, to a file; return the terminal."""
    terminal = os.fdopen(os.dup(2), "w")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with Path(path).open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    return terminal
