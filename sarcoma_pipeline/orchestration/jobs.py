"""The jobs of a refresh: one from drop folder to release, or one per centre and one for the pooled study."""

import dagster as dg

from sarcoma_pipeline.orchestration.assets.analysis_report import files_key
from sarcoma_pipeline.orchestration.assets.pool import pool_key
from sarcoma_pipeline.orchestration.assets.publication import opinion_key
from sarcoma_pipeline.orchestration.assets.step import partitions, tags
from sarcoma_pipeline.orchestration.dagster_internals import AssetJob
from sarcoma_pipeline.orchestration.night import POOL, RECEIVE, REFRESH
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse.centres import POOLED_LAYER


def refresh_jobs(project: Project) -> list[AssetJob]:
    """Return the job of a refresh; for a study with centres, the receiving and the pooling job."""
    name = project.study.name
    # Separate processes after publication do this, so that no refresh waits for it.
    later = dg.AssetSelection.checks(opinion_key(project), files_key(project))
    # A run whose process died is retried as a whole: each step needs the frames of the steps before it.
    retry_all = {**tags(project), "dagster/retry_strategy": "ALL_STEPS"}
    if not project.centres:
        return [
            dg.define_asset_job(
                REFRESH,
                selection=dg.AssetSelection.all() - later,
                description=f"Nightly refresh of {name}: raw files in, validated release out.",
                tags=retry_all,
                owners=[project.study.owner],
            )
        ]
    whole = dg.AssetSelection.key_prefixes([name, POOLED_LAYER], [name, "release"], [name, "report"])
    whole |= dg.AssetSelection.assets(pool_key(project))
    receive = dg.AssetSelection.all() - whole - later
    return [
        dg.define_asset_job(
            RECEIVE,
            selection=receive,
            partitions_def=partitions(project),
            description=f"Receives one centre of {name}: its raw files in, its part of the cohort out.",
            tags=retry_all,
            owners=[project.study.owner],
        ),
        dg.define_asset_job(
            POOL,
            selection=whole - later,
            description=f"Pools the centres of {name} into one study: analysis, validated release, report.",
            tags=retry_all,
            owners=[project.study.owner],
        ),
    ]
