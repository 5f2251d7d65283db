"""Look up attributes in the data dictionary of DICOM; pydicom is imported only for those not listed here."""

from __future__ import annotations

from functools import cache, lru_cache

from schemas.dicom_attributes import ATTRIBUTES

_NAMED = {number: (keyword, vr) for keyword, (number, vr) in ATTRIBUTES.items()}


@cache
def tag(keyword: str) -> int:
    """Return the tag of an attribute.

    Raises:
        KeyError: DICOM has no attribute of that name.
    """
    if keyword in ATTRIBUTES:
        return ATTRIBUTES[keyword][0]
    from pydicom.datadict import tag_for_keyword

    found = tag_for_keyword(keyword)
    if found is None:
        raise KeyError(keyword)
    return found


@lru_cache(10_000)
def representation(number: int) -> str | None:
    """Return the value representation of an attribute; None if DICOM does not know it."""
    if number in _NAMED:
        return _NAMED[number][1]
    if _is_private(number):
        return None
    from pydicom.datadict import dictionary_VR

    try:
        return dictionary_VR(number)
    except KeyError:
        return None


@lru_cache(10_000)
def keyword_of(number: int) -> str:
    """Return the keyword of a tag; empty if it has none."""
    if number in _NAMED:
        return _NAMED[number][0]
    if _is_private(number):
        return ""
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(number)


@lru_cache(10_000)
def is_retired(number: int) -> bool:
    """Return whether DICOM knows an attribute and has retired it."""
    if number in _NAMED or _is_private(number):
        return False
    from pydicom.datadict import dictionary_has_tag, dictionary_is_retired

    return dictionary_has_tag(number) and dictionary_is_retired(number)


def _is_private(number: int) -> bool:
    return bool(number >> 16 & 1)
