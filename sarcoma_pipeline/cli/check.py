"""``sarcoma check``: checks a study's configuration and the first rows of its files, in seconds."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING

import click

from sarcoma_pipeline.cli.study_option import know_formats, study_option, unknown_rules
from sarcoma_pipeline.cli.terminal import json_option, say, say_json
from sarcoma_pipeline.study import project as projects
from schemas.configuration_faults import ConfigurationWrong

if TYPE_CHECKING:
    from sarcoma_pipeline.operations.check import Checked, Notice

CONFIGURATION_WRONG = 2


@click.command()
@study_option
@json_option
def check(study: str, as_json: bool) -> None:
    """Check configuration and files, and preview what a refresh would make of them; changes nothing.

    Reads the first files and rows with the readers of the refresh. Exit code 0: nothing to look at. 1: things
    to look at. 2: the configuration is wrong.
    """
    know_formats()
    try:
        project = projects.load(study)
    except (projects.UnknownStudy, ConfigurationWrong) as wrong:
        if as_json:
            faults = [dataclasses.asdict(f) for f in getattr(wrong, "faults", ())]
            faults = faults or [{"file": None, "line": None, "key": "", "message": str(wrong)}]
            say_json({"study": study, "exit": CONFIGURATION_WRONG, "configuration": faults})
            sys.exit(CONFIGURATION_WRONG)
        raise click.UsageError(str(wrong)) from None
    if unknown := unknown_rules(project):
        if as_json:
            faults = [
                {"file": "study.toml", "line": None, "key": "thresholds", "message": m} for m in unknown
            ]
            say_json({"study": study, "exit": CONFIGURATION_WRONG, "configuration": faults})
            sys.exit(CONFIGURATION_WRONG)
        raise click.UsageError("\n".join(unknown))
    from sarcoma_pipeline.operations import check as checks

    found = checks.check(project)
    code = 0 if found.clean else 1
    if as_json:
        told = {
            "study": study,
            "exit": code,
            "configuration": [],
            "notices": [dataclasses.asdict(one) for one in found.notices],
            "preview": found.preview,
        }
        say_json(told)
    else:
        _print(found)
    sys.exit(code)


_VALUES_SHOWN = 6


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _print(found: Checked) -> None:
    """Print equal notices once, with their values and how often each occurs."""
    loud = [one for one in found.notices if one.severity != "notice"]
    alike: dict[tuple[str, ...], list[Notice]] = {}
    for one in loud:
        alike.setdefault((one.severity, one.rule, one.file, one.column, one.what), []).append(one)
    for group in alike.values():
        first = min(group, key=lambda one: (len(one.position), one.position))
        times = sum(one.times for one in group)
        say(f"{first.severity:8} {first.rule}")
        place = [first.file, f"{first.position}{f' and {times - 1} more' if times > 1 else ''}", first.column]
        say(f"         {', '.join(part for part in place if part) or 'the study'}")
        values = sorted((one for one in group if one.value), key=lambda one: (-one.times, one.value))
        if values:
            shown = [f"{one.value!r}{f' ({one.times} times)' if one.times > 1 else ''}" for one in values]
            more = len(shown) - _VALUES_SHOWN
            listed = ", ".join(shown[:_VALUES_SHOWN]) + (f" and {more} other values" if more > 0 else "")
            say(f"         {listed}")
        say(f"         {first.what} {first.remedy}")
    for topic, words in found.preview:
        say(f"{topic:12} {words}")
    quiet = len(found.notices) - len(loud)
    more = f", and {_counted(quiet, 'notice')} without need for action (--json lists them)" if quiet else ""
    say(f"configuration sound; {_counted(len(alike), 'thing')} to look at{more}")
