"""``sarcoma structures``: lists what the exports of a site call the structures of their plans."""

from __future__ import annotations

import json

import click

from sarcoma_pipeline.cli.study_option import configured, study_option
from sarcoma_pipeline.cli.terminal import json_option, say, say_json
from sarcoma_pipeline.cli.warehouse_rows import identity_gate, rows

_SETS = """
SELECT DISTINCT record_id, ROIName AS names, RTROIInterpretedType AS types
FROM typed.structure_set JOIN received.dicom_structure_set USING (record_id)
WHERE NOT phantom
"""


@click.command()
@study_option
@click.option("--unmapped", is_flag=True, help="Only names that are not mapped or contradict their type.")
@json_option
def structures(study: str, unmapped: bool, as_json: bool) -> None:
    """List the names of structures, in how many structure sets they are, and what they mean.

    Names that are not mapped come first. Map them in [[structures]] of study.toml.
    """
    from sarcoma_pipeline.curation import structure_names

    project = configured(study)
    gate = identity_gate(project)
    sets = [
        list(zip(json.loads(names), json.loads(types or "[]"), strict=True))
        for names, types in rows(project, _SETS).select("names", "types").iter_rows()
        if names
    ]
    found = structure_names.counted(sets, project.study.structures)
    told = [one for one in found if one.meaning.role is None or one.meaning.contradicts]
    shown = told if unmapped else found
    if as_json:
        say_json(
            [
                {
                    "name": gate.remark(one.name), "type": one.interpreted_type, "structure_sets": one.count,
                    "tg263": one.meaning.tg263, "role": one.meaning.role,
                    "decided_by": one.meaning.decided_by, "contradicts": one.meaning.contradicts,
                }
                for one in shown
            ]
        )  # fmt: skip
        return
    for one in shown:
        means = one.meaning.role or "not mapped"
        if one.meaning.contradicts:
            means += ", but the name says something else"
        name, type_ = gate.remark(one.name) or "(no name)", one.interpreted_type or "–"
        say(f"{one.count:6}  {name:28} {type_:12} {one.meaning.tg263 or '–':16} {means}".rstrip())
    say(f"{len(found)} names in {len(sets)} structure sets, {len(told)} to be mapped in [[structures]].")
