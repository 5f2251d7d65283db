"""Program of the second opinion's process: judges a release and reports the result to Dagster."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sarcoma_pipeline.orchestration import opinion_process, separate_process
from sarcoma_pipeline.study import project as projects


def main(arguments: Sequence[str]) -> None:
    """Run the check and report it to Dagster as a result of the check on the release."""
    name, refresh_id, last, *draft = arguments
    study = projects.load(name)
    study = study.as_draft() if draft else study
    opinion = opinion_process.give(study, refresh_id, None if last == "-" else last)
    # Imported on demand: Dagster is not needed to judge the release.
    from sarcoma_pipeline.orchestration.assets.publication import opinion_result, release_key

    separate_process.report(release_key(study), opinion_process.CHECK, opinion_result(study, opinion))


if __name__ == "__main__":
    main(sys.argv[1:])
