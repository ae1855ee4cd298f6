"""A real SLURM on localhost for tests: munge, MariaDB, slurmdbd, slurmctld, slurmd.

One node with pretended CPUs, memory and GPU; partitions `cpu` (default) and `gpu`; accounting.
Everything lives under one temporary folder and on free ports, so several can follow one another
or run side by side. `python tests/slurm/install.py` gets Debian's packages.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template
from types import TracebackType

from tests.slurm.daemon import ClusterError, Daemon, answers, free_ports
from tests.slurm.install import SEARCH_PATH

HERE = Path(__file__).resolve().parent
SACCT_FIELDS = (
    "JobIDRaw", "JobName", "Comment", "Account", "Partition", "State", "ExitCode", "ReqTRES",
    "AllocTRES", "NCPUS", "ReqMem", "MaxRSS", "Elapsed", "TotalCPU", "NodeList",
)  # fmt: skip


class Cluster:
    """Start with `start()` or `with Cluster() as cluster:`; `stop()` leaves nothing behind.

    `environment` is what a client needs (`SLURM_CONF`), on top of the present environment.
    cpus and memory_mb are pretended; slurmd_timeout is how many seconds slurmctld waits for a
    silent node before it calls it down and requeues its jobs.
    """

    def __init__(self, cpus: int = 8, memory_mb: int = 32000, slurmd_timeout: int = 10) -> None:
        self.daemons: dict[str, Daemon] = {}
        self.host = socket.gethostname().split(".")[0]
        names = ("database_port", "slurmdbd_port", "slurmctld_port", "slurmd_port")
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.state = Path(tempfile.mkdtemp(prefix="slurm-"))  # short: socket names are limited
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "SBATCH"))}
        self.environment = kept | {
            "PATH": f"{self.state}/bin:{SEARCH_PATH}",
            "SLURM_CONF": f"{self.state}/slurm.conf",
        }
        self.settings = self.ports | {
            "state": self.state,
            "host": self.host,
            "cpus": cpus,
            "memory_mb": memory_mb,
            "slurmd_timeout": slurmd_timeout,
            "password": secrets.token_hex(16),
        }

    def __enter__(self) -> Cluster:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and wait until the node is idle; on any error stop what runs."""
        try:
            self._start_munge()
            self._start_database()
            self._write_configuration()
            self._daemon("slurmdbd", "-D")
            self._wait_for_port("slurmdbd", "slurmdbd_port")
            self._add_account()
            self._daemon("slurmctld", "-D")
            self._wait_for_port("slurmctld", "slurmctld_port")
            self.start_slurmd()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the jobs and daemons of this cluster, by process id, and remove its folder."""
        for name in ("slurmd", "slurmctld", "slurmdbd", "mariadbd", "munged"):
            if name in self.daemons:
                # Nothing of the state is kept, so nothing has to be written in good order.
                self.daemons.pop(name).end(signal.SIGKILL)
            if name == "slurmctld":
                self._end_job_processes()
        shutil.rmtree(self.state, ignore_errors=True)

    def start_slurmd(self, seconds: float = 60) -> None:
        """Start the node's daemon and wait until the node can take jobs."""
        self._daemon("slurmd", "-D")
        self._wait_for_port("slurmd", "slurmd_port")
        self.daemons["slurmd"].wait_until(
            lambda: self.node_state() in ("idle", "mixed", "allocated"), seconds
        )

    def kill_slurmd(self, jobs: bool = True) -> None:
        """kill -9 slurmd; with `jobs`, its job steps too, as when a node loses power."""
        self.daemons.pop("slurmd").end(signal.SIGKILL)
        if jobs:
            self._end_job_processes()

    def node_state(self) -> str:
        """sinfo's word for the node: idle, mixed, allocated, down, ... ('' without slurmctld)."""
        states = self.run("sinfo", "-h", "-N", "-p", "cpu", "-o", "%T", check=False).stdout
        return states.strip()

    def run(
        self, *command: str | Path, check: bool = True, seconds: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a client program with this cluster's environment."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=seconds
        )
        if check and done.returncode != 0:
            words = " ".join(map(str, command))
            raise ClusterError(f"{words}: status {done.returncode}: {done.stderr.strip()}")
        return done

    def sacct(self, *arguments: str, fields: Sequence[str] = SACCT_FIELDS) -> list[dict[str, str]]:
        """sacct's rows, a dictionary each, e.g. `sacct("--jobs", "3", "--duplicates")`."""
        table = self.run(
            "sacct", "--allusers", "--parsable2", "--noheader", f"--format={','.join(fields)}",
            *arguments,
        ).stdout  # fmt: skip
        return [dict(zip(fields, row.split("|"), strict=True)) for row in table.splitlines()]

    def wait_for_job(self, job: str, seconds: float = 60) -> dict[str, str]:
        """The accounting row of the whole job once it has ended; ClusterError if it does not.

        slurmctld says whether it has ended: sacct calls a job that waits to be requeued NODE_FAIL,
        lags some seconds behind, and may show the end of a short job before its partition.
        """
        deadline = time.monotonic() + seconds
        running = ("PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "REQUEUED", "SUSPENDED")
        state, rows = "", list[dict[str, str]]()
        while time.monotonic() < deadline:
            words = ("squeue", "--noheader", "--states=all", "--format=%T", f"--jobs={job}")
            state = self.run(*words, check=False).stdout.strip()
            rows = self.sacct("--allocations", "--jobs", job)
            ended = state not in running and rows and rows[0]["State"].split()[0] == state
            if ended and rows[0]["Partition"]:
                return rows[0]
            time.sleep(0.2)
        raise ClusterError(f"job {job} is {state!r} after {seconds} s; sacct: {rows}")

    def _daemon(self, program: str, *arguments: str | Path) -> Daemon:
        path = shutil.which(program, path=SEARCH_PATH) or program
        command = [path, *map(str, arguments)]
        daemon = Daemon(command, self.state / f"{program}.log", self.environment)
        self.daemons[program] = daemon
        return daemon

    def _wait_for_port(self, program: str, port: str) -> None:
        self.daemons[program].wait_until(lambda: answers(self.ports[port]))

    def _start_munge(self) -> None:
        key = self.state / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o600)
        self.state.chmod(0o755)
        endpoint = self.state / "munge.socket"
        # --force: root instead of the user munge, and a folder below a world-writable one.
        options = {"key-file": key, "socket": endpoint, "num-threads": 10}
        options |= {n: self.state / f"munge.{n[:-5]}" for n in ("pid-file", "seed-file")}
        options["log-file"] = self.state / "munged.log"
        words = [f"--{name}={value}" for name, value in options.items()]
        self._daemon("munged", "--foreground", "--force", *words).wait_until(endpoint.exists)

    def _start_database(self) -> None:
        data, password = self.state / "database", self.settings["password"]
        self.run(
            "mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={data}",
            "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
            "--innodb-flush-method=nosync", "--innodb-log-file-size=4M",
        )  # fmt: skip
        first = self.state / "first.sql"
        first.write_text(
            "CREATE DATABASE slurm;\n"
            f"CREATE USER 'slurm'@'127.0.0.1' IDENTIFIED BY '{password}';\n"
            "GRANT ALL ON slurm.* TO 'slurm'@'127.0.0.1';\n"
        )
        self._daemon(
            "mariadbd", "--no-defaults", "--user=root", f"--datadir={data}",
            f"--socket={self.state}/database.socket", f"--pid-file={self.state}/database.pid",
            f"--port={self.ports['database_port']}", "--bind-address=127.0.0.1",
            "--skip-name-resolve", f"--init-file={first}", "--performance-schema=OFF",
            "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync",
            "--innodb-lock-wait-timeout=900", "--innodb-log-file-size=4M",
        )  # fmt: skip
        self._wait_for_port("mariadbd", "database_port")

    def _write_configuration(self) -> None:
        for name in ("slurm.conf", "slurmdbd.conf"):
            text = Template((HERE / name).read_text()).substitute(self.settings)
            (self.state / name).write_text(text)
            (self.state / name).chmod(0o600)  # slurmdbd refuses a readable password
        (self.state / "gres.conf").write_text("Name=gpu File=/dev/null\n")
        for folder in ("slurmctld", "slurmd", "bin"):
            (self.state / folder).mkdir()
        # Snakemake's slurm-jobstep plugin takes SLURM_CONF away from the srun it calls.
        wrapper, srun = self.state / "bin" / "srun", shutil.which("srun", path=SEARCH_PATH)
        wrapper.write_text(f'#!/bin/sh\nSLURM_CONF={self.state}/slurm.conf exec {srun} "$@"\n')
        wrapper.chmod(0o755)

    def _add_account(self) -> None:
        for words in (
            ("add", "cluster", "cortiscope"),
            ("add", "account", "research"),
            ("add", "user", "root", "account=research", "defaultaccount=research"),
        ):
            self.run("sacctmgr", "--immediate", "--quiet", *words)

    def _end_job_processes(self) -> None:
        for handle in self._job_processes():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            os.close(handle)

    def _job_processes(self) -> Iterator[int]:
        """Handles of SLURM's helpers with this SLURM_CONF, and of what has a job's id as well."""
        ours = f"SLURM_CONF={self.state}/slurm.conf".encode()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                handle = os.pidfd_open(int(entry.name))  # opened first: ids are used again
                variables = (entry / "environ").read_bytes().split(b"\0")
                helper = (entry / "comm").read_text().strip() in ("slurmstepd", "slurmscriptd")
                in_job = any(v.startswith(b"SLURM_JOB_ID=") for v in variables)
                if ours in variables and (helper or in_job):
                    yield handle
                else:
                    os.close(handle)
