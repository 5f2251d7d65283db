"""Find out what a structure is from its type and its name.

The study's own names come first, then names of helper structures, then RTROIInterpretedType, then the usual
names. A target's name may refine its type (a boost) and never contradicts it in silence.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from schemas.structure_names import METRICS, OF_TYPE, USUAL, Role, UsualName
from schemas.structures_toml import StructureNames
from schemas.umlauts import UMLAUTS

_UMLAUTS = str.maketrans(UMLAUTS)
_SIDE = re.compile(
    r"(?:^| )(?:(?P<R>rechts|rechte[rs]?|re|r|right|rt|dexter|dextra)"
    r"|(?P<L>links|linke[rs]?|li|l|left|lt|sinister|sinistra)"
    r"|(?P<both>bds|bd|beide|beidseits|bilateral|both))(?= |$)"
)
_CAMEL = re.compile(r"(?<=[a-zäöüß])(?=[RL]$|(?:Re|Li|Rechts|Links|Right|Left)$)")
_TARGETS = ("target", "target boost")
_AVOIDED = "AVOIDANCE"
"""Type of structures for the optimiser, and in genuine exports also of lungs and other organs: a usual name
comes before it."""
_MOVING = ("ITV", "IGTV", "ICTV")
"""Targets that have no interpreted type of their own."""


@dataclass(frozen=True)
class Meaning:
    """What a structure is.

    Attributes:
        tg263: name after TG-263; None if it has none there, or is not known.
        role: what it is for; None: the name is not mapped.
        decided_by: ``study``, ``type`` or ``name``; None: the name is not mapped.
        metrics: metrics beside volume and mean dose.
        contradicts: whether type and name mean different structures.
        alpha_beta_gy: as the study declares it for this structure.
        limits_cc: least and greatest plausible volume, as the study declares them.
    """

    tg263: str | None = None
    role: Role | None = None
    decided_by: str | None = None
    metrics: tuple[str, ...] = ()
    contradicts: bool = False
    alpha_beta_gy: float | None = None
    limits_cc: tuple[float | None, float | None] = (None, None)


def meaning(
    name: str | None, interpreted_type: str | None = None, own: Sequence[StructureNames] = ()
) -> Meaning:
    """Return what a structure is.

    Args:
        name: ROIName.
        interpreted_type: RTROIInterpretedType.
        own: ``[[structures]]`` of the study, the first that fits.
    """
    name = readable(name)
    for one in own:
        if _is_own(one, name):
            return Meaning(
                one.tg263, one.role, "study", one.metrics or METRICS.get(one.role, ()),
                alpha_beta_gy=one.alpha_beta_gy, limits_cc=(one.least_cc, one.most_cc),
            )  # fmt: skip
    by_name = _by_name(name)
    role = None if by_name is None else by_name[1]
    kind = (interpreted_type or "").strip().upper()
    by_type = OF_TYPE.get(kind)
    if kind == _AVOIDED and role is not None and role not in _TARGETS:
        by_type = None
    if by_type is None or role == "helper":
        organ = role in _TARGETS and kind == "ORGAN"
        return Meaning() if by_name is None else _of(*by_name, "name", contradicts=organ)
    if by_name is None or by_name == by_type:
        return _of(*by_type, "type")
    if by_type[1] == "target" and role in _TARGETS and by_name[0] is not None:
        # PTV boost is a PTV; a CTV of type PTV is a contradiction.
        same = by_name[0].partition("_")[0] in (by_type[0], *_MOVING)
        return _of(*by_name, "type") if same else _of(*by_type, "type", contradicts=True)
    differ = role in _TARGETS or (by_type[1] == "target" and role != "target source")
    return _of(*by_type, "type", contradicts=differ)


@lru_cache(maxsize=10_000)  # A site has some hundred names, each in thousands of structure sets.
def readable(name: str | None) -> str:
    """Return a name as it was typed: without the harm of a wrong SpecificCharacterSet, as far as it is known.

    UTF-8 that was read as Latin-1 is read again; no German name looks like that by chance. Signs that cannot
    be printed become U+FFFD.
    """
    name = name or ""
    with suppress(UnicodeError):
        name = name.encode("latin-1").decode("utf-8")
    shown = "".join(sign if sign.isprintable() else "\ufffd" for sign in name)
    return unicodedata.normalize("NFC", shown).strip()


def _of(tg263: str | None, role: Role, decided_by: str, *, contradicts: bool = False) -> Meaning:
    return Meaning(tg263, role, decided_by, METRICS.get(role, ()), contradicts)


def _is_own(one: StructureNames, name: str) -> bool:
    folded = name.casefold()
    return folded in (unicodedata.normalize("NFC", own).strip().casefold() for own in one.names) or any(
        re.fullmatch(pattern, name, re.IGNORECASE) for pattern in one.patterns
    )


def _by_name(name: str) -> tuple[str | None, Role] | None:
    """Return TG-263 name and role of a usual name; the side is taken from the name."""
    plain = _plain(name)
    sides = {side for found in _SIDE.finditer(plain) for side, word in found.groupdict().items() if word}
    without = " ".join(_SIDE.sub(" ", plain).split())
    for usual in USUAL:
        text = without if usual.sided else plain
        if text and re.fullmatch(usual.pattern, text):
            return _sided(usual, sides), usual.role
    return None


def _sided(usual: UsualName, sides: set[str]) -> str | None:
    if usual.tg263 is None or not usual.sided or len(sides) != 1:
        return usual.tg263
    if sides == {"both"}:
        return usual.both or usual.tg263
    return f"{usual.tg263}_{''.join(sides)}"


def _plain(name: str) -> str:
    """Return a name in lower case, umlauts as two letters, and every other sign as one blank."""
    parted = _CAMEL.sub(" ", name)
    return " ".join(re.sub(r"[\W_]+", " ", parted.casefold().translate(_UMLAUTS)).split())


@dataclass(frozen=True)
class Named:
    """A name of the site's structures.

    Attributes:
        name: ROIName.
        interpreted_type: RTROIInterpretedType.
        count: number of structure sets that have it.
        meaning: what it is.
    """

    name: str
    interpreted_type: str | None
    count: int
    meaning: Meaning


def counted(
    sets: Iterable[Iterable[tuple[str | None, str | None]]], own: Sequence[StructureNames] = ()
) -> list[Named]:
    """Return every name with its type, the number of structure sets that have it, and what it is.

    Names that are not mapped come first, then those that contradict their type, then the others; each by
    falling number and by name.

    Args:
        sets: name and type of every structure of every structure set.
        own: ``[[structures]]`` of the study.
    """
    found = Counter(pair for one in sets for pair in {(readable(name), type_ or None) for name, type_ in one})
    named = [Named(name, type_, count, meaning(name, type_, own)) for (name, type_), count in found.items()]
    return sorted(
        named,
        key=lambda one: (
            one.meaning.role is not None, not one.meaning.contradicts, -one.count, one.name,
            one.interpreted_type or "",
        ),
    )  # fmt: skip
