"""The state that Dagster records when a person switches a schedule on or off."""

import sys

from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    GrpcServerCodeLocationOrigin,
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, ScheduleInstigatorData
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin


def switched(location: str, schedule: str, state: str, function: str | None = None) -> InstigatorState:
    """Return the state of a schedule.

    Args:
        location: name of the code location.
        schedule: name of the schedule.
        state: ``STOPPED`` or ``RUNNING``.
        function: name of the function that loads the location; None: a server of its own loads it.
    """
    where = (
        ManagedGrpcPythonEnvCodeLocationOrigin(
            LoadableTargetOrigin(
                executable_path=sys.executable, module_name="sarcoma_pipeline.definitions", attribute=function
            ),
            location,
        )
        if function
        else GrpcServerCodeLocationOrigin("localhost", 4000, None, location)
    )
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(where, "__repository__"), schedule)
    data = ScheduleInstigatorData("30 2 * * *", None)
    return InstigatorState(origin, InstigatorType.SCHEDULE, InstigatorStatus[state], data)
