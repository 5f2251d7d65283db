"""Writes the pages that people read."""

import tempfile
from pathlib import Path

from sarcoma_pipeline.warehouse import permissions


def write_whole(target: Path, text: str) -> None:
    """Replace a file in one step, so that a reader sees either the old or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=target.parent, prefix=f".{target.name}-", delete=False
    ) as stream:
        stream.write(text)
    partial = Path(stream.name)
    partial.chmod(permissions.PAGE)
    partial.replace(target)
