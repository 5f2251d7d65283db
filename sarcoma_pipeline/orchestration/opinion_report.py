"""Program of the second opinion's process: judges a release and reports the result to Dagster."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sarcoma_pipeline.orchestration import opinion_process
from sarcoma_pipeline.study import project as projects


def main(arguments: Sequence[str]) -> None:
    """Run the check and report it to Dagster as a result of the check on the release."""
    name, refresh_id, last, *draft = arguments
    study = projects.load(name)
    study = study.as_draft() if draft else study
    opinion = opinion_process.give(study, refresh_id, None if last == "-" else last)
    import dagster as dg

    from sarcoma_pipeline.orchestration.assets.publication import opinion_result, release_key

    result = opinion_result(study, opinion)
    with dg.DagsterInstance.get() as instance:
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=release_key(study),
                check_name=opinion_process.CHECK,
                passed=result.passed,
                severity=result.severity,
                description=result.description,
                metadata=result.metadata,
            )
        )


if __name__ == "__main__":
    main(sys.argv[1:])
