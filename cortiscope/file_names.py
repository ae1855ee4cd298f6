"""Names of layers and areas as names of files, of groups in them, and of Snakemake's wildcards.

Torch allows everything but a dot in the name of a module, and a recording everything in that of an
area; a slash in a path, or a leading hyphen in a netCDF group, means something else.
"""

import os
import re
import unicodedata
from pathlib import Path

# As in e-mail (RFC 2045): a percent sign would be a pattern to SLURM, in the paths of its logs.
ESCAPED = re.compile("(?:=[0-9A-F]{2})+")
PLAIN = "_.#-"  # beside letters and digits
FIRST = "_"  # a file that begins otherwise is hidden, or an option; of a group netCDF forbids it


def encoded(name: str) -> str:
    """A name of letters, digits, `_`, `.`, `#` and `-` as it is; of any other sign the bytes.

    Each byte of UTF-8 as `=` and two hexadecimal digits: `V1/V2` is `V1=2FV2`. Letters that file
    systems and netCDF would write in another way (see `files.composed`) are such signs, as are
    `.`, `#` and `-` at the start. As no group may begin with `=`, `_` stands before it there, and
    `/abs` is `_=2Fabs`; a name's own `_` before such a sign at its start is escaped as well.
    """
    stable = unicodedata.normalize("NFC", name) == name
    signs = [
        sign if _is_plain(sign, first=not place, stable=stable) else _escaped(sign)
        for place, sign in enumerate(name)
    ]
    if signs[:1] == ["_"] and len(signs) > 1 and len(signs[1]) > 1:
        signs[0] = _escaped("_")
    begins_escaped = len(signs) > 0 and len(signs[0]) > 1
    return "".join(["_" if begins_escaped else "", *signs])


def decoded(name: str) -> str:
    """What was encoded."""
    whole = name[1:] if name.startswith("_=") else name
    return ESCAPED.sub(lambda found: bytes.fromhex(found[0].replace("=", "")).decode(), whole)


def name_of(path: str | os.PathLike[str]) -> str:
    """The name of what a file is of, as `V1/V2` of `ceilings/V1=2FV2.nc`."""
    return decoded(Path(path).stem)


def _is_plain(sign: str, first: bool, stable: bool) -> bool:
    letter = sign.isalnum() and (sign.isascii() or stable)
    return letter or sign in (FIRST if first else PLAIN)


def _escaped(sign: str) -> str:
    return "".join(f"={byte:02X}" for byte in sign.encode())
