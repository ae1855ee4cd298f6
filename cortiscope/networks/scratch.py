"""Numbers of all stimuli, taken batch by batch, that are too many to wait in memory."""

import os
import tempfile
from collections.abc import Iterator
from io import BufferedRandom
from pathlib import Path
from typing import Any

import numpy as np

from cortiscope.errors import InputError

HELD = 1 << 22  # bytes: fewer stay in memory


class Rows:
    """float32 (stimulus, component): in a file, unless they are few; read by slices of stimuli.

    where: whose they are, for messages. folder: of the file, which has no name and is gone when
    this process ends, however it ends; empty for that of `tempfile`.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, n_stimuli: int, width: int, where: str, folder: str = "") -> None:
        self.shape = (n_stimuli, width)
        self.where = where
        self.folder = folder or tempfile.gettempdir()
        self.nbytes = n_stimuli * width * self.dtype.itemsize
        self._held = np.zeros(self.shape, self.dtype) if self.nbytes <= HELD else None
        self._file: BufferedRandom | None = None

    def put(self, start: int, values: np.ndarray) -> None:
        """Those of stimuli start, start + 1, ...; what they had before is replaced."""
        if self._held is not None:
            self._held[start : start + len(values)] = values
            return
        if self._file is None:
            Path(self.folder).mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.folder)
            Path(name).unlink()
            self._file = os.fdopen(handle, "w+b")
        self._file.seek(start * self.shape[1] * self.dtype.itemsize)
        try:
            self._file.write(np.ascontiguousarray(values, self.dtype).data)
            self._file.flush()
        except OSError as error:
            raise InputError(
                self.where,
                f"its {self.nbytes / 2**30:.1f} GiB did not fit beside other layers' in "
                f"{self.folder} ({error.strerror})",
                "set TMPDIR to a folder on a larger disk, give more memory, or use projection fold",
            ) from error

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, part: slice) -> np.ndarray:
        """(stimulus, component) of some stimuli."""
        if self._held is not None:
            return self._held[part]
        start, stop, step = part.indices(len(self))
        if step != 1:
            return np.concatenate([self[index : index + 1] for index in range(start, stop, step)])
        assert self._file is not None, "read before put()"
        values = np.empty((max(0, stop - start), self.shape[1]), self.dtype)
        self._file.seek(start * self.shape[1] * self.dtype.itemsize)
        self._file.readinto(values.data)
        return values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)

    def columns(self, length: int) -> Iterator[np.ndarray]:
        """(stimulus, component), some components of all stimuli at a time."""
        rows: np.ndarray | None = self._held
        if rows is None:
            assert self._file is not None, "read before put()"
            rows = np.memmap(self._file, self.dtype, "r", shape=self.shape)
        for begin in range(0, self.shape[1], length):
            yield np.array(rows[:, begin : begin + length])

    def settled(self) -> "np.ndarray | Rows":
        """As an array where they are in memory."""
        return self if self._held is None else self._held
