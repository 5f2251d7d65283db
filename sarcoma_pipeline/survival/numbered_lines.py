"""Makes a table of ``analysis`` from its lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from schemas.contract import Contract


def numbered(contract: type[Contract], lines: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return lines in their order as a table, with their number from 1 on in ``position``.

    Args:
        contract: the table; it has the column ``position``.
        lines: column to value; columns that no line has are null. No lines give an empty table.

    Raises:
        ContractBroken: a line breaks a rule of the contract.
    """
    if not lines:
        return contract.empty()
    frame = pl.DataFrame(list(lines), infer_schema_length=None).with_row_index("position", offset=1)
    return contract.enforce(contract.conform(frame))
