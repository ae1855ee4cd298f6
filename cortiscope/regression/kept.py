"""What is made once and asked for again, as long as there is room for it."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Kept(Generic[Made]):
    """By key; the first that are made are kept, and never given up for others.

    room: bytes. size: of what was made, in bytes.
    """

    def __init__(self, room: int, size: Callable[[Made], int]) -> None:
        self.room, self.size = room, size
        self.found: dict[Hashable, Made] = {}

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What is kept by the key, or made now."""
        if key in self.found:
            return self.found[key]
        made = make()
        needed = self.size(made)
        if needed <= self.room:
            self.room -= needed
            self.found[key] = made
        return made

    def __len__(self) -> int:
        return len(self.found)
