"""Report versions of program and content to Dagster, so that its UI shows which assets are stale.

Dagster calls an asset unsynced when its code version or an input's data version differs from those at its
last materialisation. The code version covers the program and the study's configuration; the data version is
the hash of content that the step cache keeps. A step that is skipped has its old versions and stays fresh.
"""

import hashlib

import dagster as dg

from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.study import provenance
from sarcoma_pipeline.study.project import Project


def _short(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()


def code_version(project: Project) -> str:
    """Return a hash of the program and of the study's configuration."""
    return _short(provenance.code_hash(), project.configuration_hash())


def of_tables(warehouse: Warehouse, *tables: str) -> dict[str, dg.DataVersion]:
    """Return the data version of each table in the step cache.

    Args:
        warehouse: the study's warehouse.
        tables: table names.

    Returns:
        Table name to data version. Tables without a version are left out: Dagster then generates one.
    """
    found = warehouse.known_versions(tables)
    return {table: of_content(version) for table, version in found.items()}


def of_content(content: str) -> dg.DataVersion:
    """Return the data version of an asset whose content has this hash or, if it is short, this text."""
    return dg.DataVersion(_short(content))


def carried_over(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, str]:
    """Return the version tags of an asset's last materialisation, for an event that only confirms it."""
    last = instance.get_latest_materialization_event(key)
    materialization = last.asset_materialization if last else None
    tags = (materialization.tags if materialization else None) or {}
    # The code version, the data version and, per input, the version that was read.
    return {name: value for name, value in tags.items() if name.startswith("dagster/")}
