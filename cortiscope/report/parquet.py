"""Tables as Parquet, with the provenance that every file of the workflow has."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cortiscope.files import replacing


def write_parquet(table: pa.Table, path: str, provenance: Mapping[str, Any]) -> None:
    """Write a table whole or not at all, with its provenance in the file's own metadata."""
    with replacing(path) as temporary:
        pq.write_table(with_provenance(table, provenance), temporary, compression="zstd")


def write_frame(frame: pd.DataFrame, path: str, provenance: Mapping[str, Any]) -> None:
    """Write a data frame as Parquet, with provenance; its index is left out."""
    write_parquet(pa.Table.from_pandas(frame, preserve_index=False), path, provenance)


def with_provenance(table: pa.Table, provenance: Mapping[str, Any]) -> pa.Table:
    about = dict(table.schema.metadata or {})
    about[b"cortiscope"] = json.dumps(provenance, sort_keys=True).encode()
    return table.replace_schema_metadata(about)
