"""Processes in the foreground that a test cluster is made of, and ports for them."""

from __future__ import annotations

import contextlib
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path


class ClusterError(RuntimeError):
    """A daemon ended or did not answer in time; the message holds its last log lines."""


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, below the range from which the kernel takes clients' ports."""
    found: list[int] = []
    with contextlib.ExitStack() as stack:
        for port in random.SystemRandom().sample(range(15000, 32000), 1000):
            listener = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                listener.bind(("127.0.0.1", port))
                found.append(port)
            if len(found) == count:
                return found
    raise ClusterError(f"fewer than {count} free ports between 15000 and 32000")


def answers(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0


class Daemon:
    """A process in the foreground of its own session, its output in one log file."""

    def __init__(self, command: Sequence[str], log: Path, environment: dict[str, str]) -> None:
        self.name = Path(command[0]).name
        self.log = log
        # The kernel ends the daemon should this process die without a chance to clean up.
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    def last_lines(self, count: int = 20) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])

    def wait_until(self, ready: Callable[[], bool], seconds: float = 30) -> None:
        """Poll `ready`; ClusterError when the daemon ends first or `seconds` have passed."""
        deadline = time.monotonic() + seconds
        while not ready():
            status = self.process.poll()
            if status is not None:
                raise ClusterError(f"{self.name} ended (status {status}):\n{self.last_lines()}")
            if time.monotonic() > deadline:
                raise ClusterError(f"{self.name} not ready in {seconds} s:\n{self.last_lines()}")
            time.sleep(0.05)

    def end(self, how: signal.Signals = signal.SIGTERM, seconds: float = 5) -> None:
        """Signal the process and wait for it; kill it where it does not go in `seconds`."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
