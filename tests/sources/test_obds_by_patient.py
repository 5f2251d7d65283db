"""Exports that are cut into patients give what the stream gives, and what cannot be cut safely is not cut."""

import random
import re
from pathlib import Path

import pytest

from sarcoma_pipeline.sources import export_parts, obds
from sarcoma_pipeline.sources.received_record import SourceFile
from schemas.configuration import Limits, ObdsSource
from tests.sources.exports import ORDINARY, OTHER_FORMS, UNUSUAL, cumulative

SOURCE = ObdsSource(kind="obds", name="o", files=("*",))


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    return cumulative(tmp_path_factory.mktemp("crowd"), 24)


def _read(path: Path, content: bytes, known=None, limits=None):
    path.write_bytes(content)
    file = SourceFile("f", path, path.name, "o", content="c", known=known or {})
    return obds.read(file, SOURCE, "R1", limits or Limits())


def _streamed(path, content, monkeypatch, limits=None):
    with monkeypatch.context() as patch:
        patch.setattr(export_parts, "WORTH_BYTES", 1 << 60)
        return _read(path, content, limits=limits)


def _same(one, other):
    account = one.account, other.account
    assert account[0].counts == account[1].counts and account[0].unknown == account[1].unknown
    assert account[0].delivered == account[1].delivered
    assert one.count == other.count
    frames, others = one.frames(), other.frames()
    assert frames.keys() == others.keys()
    for table, frame in frames.items():
        assert frame.equals(others[table]), table


@pytest.mark.parametrize("what", [*ORDINARY, *OTHER_FORMS, *UNUSUAL])
def test_a_cut_export_gives_what_the_stream_gives(export, tmp_path, monkeypatch, what):
    if what in ORDINARY:
        content = ORDINARY[what](export, random.Random(5)).content
    else:
        content = {**OTHER_FORMS, **UNUSUAL}[what](export)
    path = tmp_path / "export.xml"
    cut = _read(path, content)
    _same(cut, _streamed(path, content, monkeypatch))
    assert (cut.cut is None) == (what in UNUSUAL)


def test_only_unknown_patients_are_read_and_their_records_have_their_place(export, tmp_path):
    path = tmp_path / "export.xml"
    whole = _read(path, export.content)
    assert whole.cut is not None
    known = {part.part_hash: part.records for part in whole.cut.parts if part.number % 7}
    some = _read(path, export.content, known)
    assert some.cut is not None and some.count == whole.count
    wanted = [part for part in whole.cut.parts if part.part_hash not in known]
    assert [part.number for part in some.cut.parts if part.account is not None] == [p.number for p in wanted]
    ordinals = {one.before + nth for one in wanted for nth in range(1, one.records + 1)}
    for table, frame in whole.frames().items():
        of_wanted = frame.filter(frame["ordinal"].is_in(list(ordinals)))
        assert some.frames()[table].equals(of_wanted) if of_wanted.height else table not in some.frames()


def _wrong_lines(batch, content):
    """Return the positions that do not name the line of their element."""
    lines = content.split(b"\n")
    named = {"received.obds_patient": rb"<(o:)?Patienten_Stammdaten>"}
    return [
        position
        for table, frame in batch.frames().items()
        if table != "received.unread"
        for position in frame["position"]
        if not re.search(named.get(table, rb"<(o:)?Meldung "), lines[int(position.split()[1]) - 1])
    ]


def test_lines_are_right_in_an_export_of_many_lines(export, tmp_path, monkeypatch):
    # libxml2 counts up to 65 535.
    long = export.patients * (1 + 80_000 // export.content.count(b"\n"))
    content = export.head + b"\n".join(long) + export.tail
    assert content.count(b"\n") > 80_000
    path = tmp_path / "export.xml"
    cut = _read(path, content)
    assert cut.cut is not None and not _wrong_lines(cut, content)
    _same(cut, _streamed(path, content, monkeypatch))


@pytest.mark.parametrize("what", UNUSUAL)
def test_counted_lines_are_those_of_libxml2_where_it_counts(export, tmp_path, monkeypatch, what):
    path = tmp_path / "export.xml"
    content = UNUSUAL[what](export)
    theirs = _streamed(path, content, monkeypatch)
    monkeypatch.setattr(obds, "_LINES_AT_ONCE", 0)
    _same(theirs, _streamed(path, content, monkeypatch))
    if "UTF-16" not in what:
        assert not _wrong_lines(theirs, content)


@pytest.mark.parametrize("limits", [{"records": 40}, {"record_bytes": 4_000}])
def test_limits_hold_as_for_the_stream(export, tmp_path, monkeypatch, limits):
    small = Limits.model_validate(limits)
    path = tmp_path / "export.xml"
    _same(
        _read(path, export.content, limits=small),
        _streamed(path, export.content, monkeypatch, limits=small),
    )


def test_a_patient_is_known_again_only_if_what_its_reading_depends_on_is_the_same(export, tmp_path):
    path = tmp_path / "export.xml"
    first = _read(path, export.content)
    assert first.cut is not None
    known = {part.part_hash: part.records for part in first.cut.parts}
    for what, form in OTHER_FORMS.items():
        cut = _read(path, form(export), known).cut
        assert cut is not None
        read = sum(part.account is not None for part in cut.parts)
        # The name of the sender is ignored, and no record has elements that are around the patients.
        none = {"unknown elements around": 0, "another name of the sender": 0, "angle brackets in values": 1}
        assert read == none.get(what, len(cut.parts)), what
