"""Reads a drop folder in a process of limited memory: ``confined.py DROP MEGABYTES [default]``."""

import json
import resource
import sys
from pathlib import Path

from sarcoma_pipeline.sources import dicom, manifest
from schemas.configuration import DEFAULT_LIMITS, Limits, Sources
from schemas.meta import MetaFile

SOURCES = Sources.model_validate(
    {
        "limits": {"records": 100_000, "elements": 200_000},
        "source": [
            {"name": "o", "kind": "obds", "files": ["obds/*"]},
            {"name": "d", "kind": "dicom", "files": ["dicom/**/*"]},
            {
                "name": "r", "kind": "registry", "files": ["registry/*"],
                "columns": {"reference": "Az", "answer": "Auskunft"},
            },
            *(
                {
                    "name": form, "kind": "table", "format": form, "files": [f"tables/*.{form}"],
                    "key": ["Nr"],
                    "delimiter": ";" if form == "csv" else None,
                    "entities": [{"entity": "diagnosis", "columns": {"hospital_number": "Nr"}}],
                }
                for form in ("csv", "xlsx", "parquet")
            ),
        ],
    }
)  # fmt: skip


def account(drop: Path, limits: Limits = SOURCES.limits) -> dict[str, dict]:
    """Path to the number of its records and to the rule, position and detail of what could not be read."""
    found = {}
    for one in manifest.scan(drop, SOURCES, MetaFile.empty(), "R1").to_read:
        frames = manifest.read(one, "R1", limits).frames()
        unread = frames.pop("received.unread", None)
        found[one.file.relative] = {
            "records": sum(frame.height for frame in frames.values()),
            "unread": [] if unread is None else unread.select("rule_id", "position", "detail").rows(),
            "values": [str(v) for f in frames.values() for v in f.head(3).rows()],
        }
    return found


def main(drop: Path, megabytes: int, limits: Limits) -> None:
    """Confine this process to what it has now and so much more, then read."""
    assert dicom  # imported before the measuring, as on a night with a new plan
    now = next(
        int(line.split()[1]) * 1024
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmSize")
    )
    most = now + megabytes * 1024**2
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    json.dump(account(drop, limits), sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), DEFAULT_LIMITS if sys.argv[3:] else SOURCES.limits)
