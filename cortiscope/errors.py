"""The one exception that a user of Cortiscope is meant to read."""


class InputError(ValueError):
    """A study that cannot be run as written: one line says where, what is wrong, what to do."""

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(f"{where}: {problem}; {remedy}")
