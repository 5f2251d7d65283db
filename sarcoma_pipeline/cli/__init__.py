"""The command line ``sarcoma``: its group, and the commands ``refresh``, ``demo``, ``rules``, ``studies``."""

from __future__ import annotations

import gc
import os
import sys
import time
from pathlib import Path

import click

from sarcoma_pipeline.cli.audit import audit
from sarcoma_pipeline.cli.check import check
from sarcoma_pipeline.cli.doses import doses
from sarcoma_pipeline.cli.export import export
from sarcoma_pipeline.cli.findings import findings
from sarcoma_pipeline.cli.init import init
from sarcoma_pipeline.cli.key import key
from sarcoma_pipeline.cli.limits import limits
from sarcoma_pipeline.cli.linkage import linkage
from sarcoma_pipeline.cli.operations import backup, doctor, restore, status
from sarcoma_pipeline.cli.preview import preview
from sarcoma_pipeline.cli.releases import release
from sarcoma_pipeline.cli.report import report
from sarcoma_pipeline.cli.sample import sample
from sarcoma_pipeline.cli.schema import schema
from sarcoma_pipeline.cli.structures import structures
from sarcoma_pipeline.cli.study_option import configured, dagster_home, in_one_file, study_option
from sarcoma_pipeline.cli.terminal import PrintableErrors, json_option, no_such, say, say_json
from sarcoma_pipeline.cli.trace import trace
from sarcoma_pipeline.study import polars_threads
from sarcoma_pipeline.study import project as projects
from sarcoma_pipeline.warehouse import permissions

_OBJECTS_PER_COLLECTION, _OF_A_REFRESH = 1_000_000, 50_000
"""New objects before Python looks for reference cycles, in a short command and in a refresh (Python: 700)."""

# Each command imports dagster, polars and duckdb itself, so that `sarcoma --help` starts fast.


@click.group(cls=PrintableErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sarcoma_pipeline")
def main() -> None:
    """Build soft tissue sarcoma studies: nightly, validated, traceable."""
    # Imports make objects that live until the end: looking for garbage among them takes a tenth of a list.
    gc.set_threshold(_OBJECTS_PER_COLLECTION)
    permissions.close_umask()


main.add_command(init)
main.add_command(check)
main.add_command(preview)
main.add_command(audit)
main.add_command(schema)
main.add_command(findings)
main.add_command(report)
main.add_command(export)
main.add_command(trace)
main.add_command(release)
main.add_command(status)
main.add_command(doctor)
main.add_command(backup)
main.add_command(restore)
main.add_command(key)
main.add_command(linkage)
main.add_command(structures)
main.add_command(doses)
main.add_command(limits)
main.add_command(sample)


@main.command()
@study_option
@click.option(
    "--as-of",
    metavar="RELEASE",
    help="Rebuild this earlier release from the records, configuration and decisions it was built from; "
    "publishes nothing.",
)
@click.option(
    "--draft",
    is_flag=True,
    help="Publish a draft next to the release. It is marked as a draft and not compared with earlier "
    "releases.",
)
@click.option(
    "--verify",
    is_flag=True,
    help="Compare the content of every file, including files whose size and time are unchanged.",
)
@click.option(
    "--full", is_flag=True, help="Compute every step, including steps whose inputs have not changed."
)
def refresh(study: str, as_of: str | None, draft: bool, verify: bool, full: bool) -> None:
    """Run the refresh job: raw files in, validated release out.

    Exit code 0: a release was published, or the last one is still valid because nothing changed; findings do
    not matter. 1: nothing could be published; the last release is untouched. 2: wrong usage or configuration.
    With --as-of, 0 if the content is the same as before and 1 if it is not.
    """
    began = time.perf_counter()
    polars_threads.choose(study)
    project = configured(study)
    if draft:
        if as_of:
            raise click.UsageError("--as-of rebuilds a release and publishes nothing: leave out --draft")
        in_one_file(project, "--draft")
        project = project.as_draft()
    if as_of and verify:
        raise click.UsageError("--as-of reads no files: leave out --verify")
    if as_of:
        in_one_file(project, "--as-of")
        from sarcoma_pipeline.cli import rebuild

        sys.exit(0 if rebuild.run(project, as_of) else 1)
    for drop in [project.drop_of(centre) for centre in project.centres or ("",)]:
        if not drop.is_dir():
            name = drop.relative_to(project.root)
            hint = f"sarcoma demo --into {name}"
            raise click.UsageError(f"no drop folder {name}; put raw files there, or: {hint}")
    try:
        permissions.check(project)
    except permissions.Exposed as exposed:
        raise click.UsageError(str(exposed)) from None
    dagster_home(project)
    if not (draft or verify or full) and _is_unchanged(project):
        sys.exit(0)
    if full:
        import duckdb

        from sarcoma_pipeline.orchestration import warehouse_resource
        from sarcoma_pipeline.warehouse import opening

        try:
            warehouse_resource.forget_steps(project)
        except (opening.CannotOpen, warehouse_resource.WarehouseBusy) as why:
            raise click.ClickException(str(why)) from None
        except duckdb.Error:
            raise _cannot_start("the warehouse cannot be opened", project) from None
    from sqlalchemy.exc import OperationalError

    from sarcoma_pipeline.cli import refresh_run

    # What was imported lives until the end, and need not be looked through again.
    gc.freeze()
    gc.set_threshold(_OF_A_REFRESH)
    try:
        outcome = refresh_run.run(project, began, verify=verify)
    except OperationalError:
        what = "Dagster's run history cannot be written; the release is untouched"
        raise _cannot_start(what, project) from None
    sys.exit(0 if outcome else 1)


def _is_unchanged(project: projects.Project) -> bool:
    """Return whether a refresh would change nothing; if so, say and record it, without importing Dagster."""
    from sarcoma_pipeline.orchestration import run_history, skip_unchanged

    now = project.now()
    try:
        with run_history.opened(run_history.home_of(project.root)) as history:
            unchanged = skip_unchanged.look(project, history, now.date())
    except Exception:
        # Whatever hinders the look (a damaged warehouse, another database), the refresh itself reports it.
        return False
    if unchanged is None:
        return False
    skip_unchanged.confirm(project, unchanged, now)
    say(f"{unchanged} sarcoma refresh --full computes every step all the same.")
    return True


def _cannot_start(what: str, project: projects.Project) -> click.ClickException:
    """Return the error for a refresh that cannot start or be recorded, with its remedy."""
    from sarcoma_pipeline.warehouse import disk_space

    full = disk_space.faults(project)
    remedy = f"free disk space: {'; '.join(full)}" if full else "sarcoma doctor shows the remedy"
    return click.ClickException(f"{what}: {remedy} (--study {project.study.name})")


@main.command()
@click.option("--into", type=click.Path(path_type=Path), required=True, help="Folder to write to.")
@click.option("--seed", default=2011, show_default=True, help="The same seed writes the same bytes.")
@click.option(
    "--patients", type=click.IntRange(1, 10_000_000), help="Number of patients, sampled from the 86."
)
@click.option(
    "--defects",
    type=click.FloatRange(0, 1),
    default=0.02,
    show_default=True,
    help="With --patients: fraction of patients with a seeded defect.",
)
@click.option(
    "--plans",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="With --patients: fraction of treatment plans that are exported (six files each).",
)
@click.option(
    "--anatomy/--no-anatomy",
    default=True,
    show_default=True,
    help="Without --patients: draw limbs with targets, bone and dose grids, and add treatment records; some "
    "with seeded faults.",
)
def demo(into: Path, seed: int, patients: int | None, defects: float, plans: float, anatomy: bool) -> None:
    """Write the demo's raw files: 86 invented patients, further ineligible ones, and seeded defects."""
    if into.exists() and any(into.iterdir()):
        raise click.UsageError(f"{into} is not empty")
    try:
        from sarcoma_pipeline.synthetic import crowd, render
    except ModuleNotFoundError as missing:
        if not (missing.name or "").startswith("sarcoma_pipeline.synthetic"):
            raise
        raise click.ClickException(
            "The demo is not installed. Install it with: pip install 'sarcoma-pipeline[synthetic]'"
        ) from None
    data = render.tables(projects.root())
    if patients:
        cores = os.cpu_count() or 1
        planted = crowd.write(into, patients, seed, data, defects, plans, cores)
        say(f"{patients} patients in {into}, {planted.total()} seeded defects of {len(planted)} kinds.")
        return
    truth = render.demo(into, seed, data, anatomy=anatomy)
    files = sum(1 for p in into.rglob("*") if p.is_file())
    say(f"{files} files in {into}, {truth.height} seeded defects of {truth['kind'].n_unique()} kinds.")


@main.command()
@click.argument("rule", required=False)
@click.option("--markdown", is_flag=True, help="Print the whole catalogue as Markdown (docs/rules.md).")
@json_option
def rules(rule: str | None, markdown: bool, as_json: bool) -> None:
    """List the validation rules, or explain one: what it means and what to do."""
    from sarcoma_pipeline.quality.rule_catalogue import catalogue
    from sarcoma_pipeline.quality.rule_catalogue import markdown as page

    if markdown:
        click.echo(page(), nl=False)
        return
    every = found = catalogue()
    if rule:
        found = found.filter(found["rule_id"] == rule)
        if found.is_empty():
            raise click.UsageError(no_such("rule", rule, every["rule_id"], "sarcoma rules lists them all"))
        if not as_json:
            for name, value in found.row(0, named=True).items():
                say(f"{name:9} {value}")
            return
    if as_json:
        say_json(found.to_dicts())
        return
    for row in found.iter_rows(named=True):
        say(f"{row['severity']:8} {row['rule_id']:42} {row['what']}")


@main.command()
@json_option
def studies(as_json: bool) -> None:
    """List the configured studies."""
    found = [configured(name) for name in projects.studies()]
    if as_json:
        say_json(
            [{"study": p.study.name, "title": p.study.title, "released": p.release.exists()} for p in found]
        )
        return
    for project in found:
        released = "released" if project.release.exists() else "not yet released"
        say(f"{project.study.name:12} {released:18} {project.study.title}")


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands and options: source it in the start file of your shell.

    For bash: echo 'eval "$(sarcoma completion bash)"' >> ~/.bashrc
    """
    from click.shell_completion import get_completion_class

    of_shell = get_completion_class(shell)
    assert of_shell is not None, "click completes all three"
    for line in of_shell(main, {}, "sarcoma", "_SARCOMA_COMPLETE").source().splitlines():
        say(line)
