"""Read a study's ``study.toml`` and ``sources.toml``, and check them for errors of form and of meaning.

A study consists only of configuration. An unknown key, a wrong type or a contradiction is an error with file,
line and key. The models are in ``schemas.study_toml`` and ``schemas.sources_toml``; this module exports them.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from schemas.analyses_toml import Imputation, PredictorTerm, Validation, Weighting
from schemas.configuration_faults import (
    Complaints,
    ConfigurationWrong,
    Fault,
    fault,
    left_open,
    mistyped,
    of_validation,
    parsed,
    without_open_numbers,
)
from schemas.entity_mapping import ColumnMapping, Entity, EntityMapping, When
from schemas.sources_toml import (
    DEFAULT_LIMITS,
    KINDS,
    ColumnFiles,
    DicomSource,
    IgnoredColumns,
    Limits,
    MappedSource,
    ObdsSource,
    RegistrySource,
    Source,
    SourceFiles,
    Sources,
    TableLayout,
    TableSource,
    kind_of,
)
from schemas.study_toml import (
    PAPER,
    CensoringVariant,
    CentreName,
    CompetingRisks,
    Covariate,
    Criterion,
    EndpointName,
    EndpointRule,
    Milestone,
    Model,
    Study,
    TableRow,
)
from schemas.toml_section import Section
from schemas.vocabularies import EventKind

__all__ = [
    "DEFAULT_LIMITS",
    "KINDS",
    "CensoringVariant",
    "CentreName",
    "ColumnFiles",
    "ColumnMapping",
    "CompetingRisks",
    "Covariate",
    "Criterion",
    "DicomSource",
    "EndpointName",
    "EndpointRule",
    "Entity",
    "EntityMapping",
    "EventKind",
    "IgnoredColumns",
    "Imputation",
    "Limits",
    "MappedSource",
    "Milestone",
    "Model",
    "ObdsSource",
    "PredictorTerm",
    "RegistrySource",
    "Section",
    "Source",
    "SourceFiles",
    "Sources",
    "Study",
    "TableLayout",
    "TableRow",
    "TableSource",
    "Validation",
    "Weighting",
    "When",
    "kind_of",
    "load_study",
]


def load_study(folder: Path) -> tuple[Study, Sources]:
    """Read and check ``study.toml`` and ``sources.toml`` of a study's folder.

    Raises:
        ConfigurationWrong: a file is missing, is no TOML, has an unknown key or a wrong value, or uses a name
            that does not exist. Lists all faults of both files.
    """
    # Imported here: the checks need polars, which `sarcoma --help` should not load.
    from schemas.configuration_meaning import of_study
    from schemas.sources_meaning import of_sources

    folder = folder.resolve()
    found: dict[str, Study | Sources] = {}
    faults: list[Fault] = []
    for file, model in (("study.toml", Study), ("sources.toml", Sources)):
        try:
            # Editors of Windows begin a file with a byte order mark.
            text = (folder / file).read_text("utf-8-sig")
            content = parsed(file, text)
            open_questions = list(left_open(content))
            faults += [fault(file, text, loc, message) for loc, message in open_questions]
            content = without_open_numbers(content)
            faults += [fault(file, text, loc, message) for loc, message in mistyped(model, content)]
            found[file] = read = model.model_validate(content)
        except ConfigurationWrong as wrong:
            faults += wrong.faults
        except ValidationError as wrong:
            faults += of_validation(file, text, wrong, model)
        except OSError as missing:
            faults.append(Fault(file, None, "", f"cannot be read: {missing.strerror}"))
        except UnicodeDecodeError as broken:
            faults.append(Fault(file, None, "", f"is not UTF-8 (byte {broken.start})"))
        else:
            if isinstance(read, Study):
                faults += [fault(file, text, *lost) for lost in _lost_files(read, folder.parents[2])]
            of = of_study(read, folder.name) if isinstance(read, Study) else of_sources(read)
            told = {loc for loc, _ in open_questions}
            faults += [fault(file, text, loc, message) for loc, message in of if loc not in told]
    if faults:
        raise ConfigurationWrong(faults)
    return found["study.toml"], found["sources.toml"]  # pyright: ignore[reportReturnType]


def _lost_files(study: Study, root: Path) -> Complaints:
    """Yield files that the study names and that are not there."""
    for key in PAPER:
        named = getattr(study, key)
        if named and not (root / named).is_file():
            yield (key,), f'the file "{named}" does not exist below the project root'
