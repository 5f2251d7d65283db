"""Read one whole DICOM object, pixels and contours included, where the nightly reader found it."""

from __future__ import annotations

import hashlib
import io
import logging
import warnings
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

from sarcoma_pipeline.sources import dicom_archive
from sarcoma_pipeline.sources.drop_folder import open_file
from sarcoma_pipeline.sources.received_record import Stopped
from schemas.configuration import DEFAULT_LIMITS

_WHOLE_FILE = "file"


class Changed(Exception):
    """The file is gone, or its content is no longer the one that the refresh read."""


class Unreadable(Exception):
    """The object cannot be read; the text is a class of error, without values of a patient."""


def whole(path: Path, position: str, content_hash: str) -> Dataset:
    """Return the object at a position of a file.

    Args:
        path: the file.
        position: ``file``, or the entry of an archive, as in the received tables.
        content_hash: BLAKE2b hash of the file's bytes, as in ``meta.files``.

    Raises:
        Changed: the file is gone or has another content.
        Unreadable: the object cannot be read.
    """
    try:
        with open_file(path) as stream:
            content = stream.read()
    except OSError:
        raise Changed("the file cannot be opened") from None
    if hashlib.blake2b(content, digest_size=16).hexdigest() != content_hash:
        raise Changed("the file has another content")
    stream = io.BytesIO(content)
    if position != _WHOLE_FILE:
        stream = _entry(stream, len(content), position)
    logger = logging.getLogger("pydicom")
    before = logger.disabled
    # The messages of pydicom quote values, which may identify a patient.
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dcmread(stream, force=True)
    except MemoryError:
        raise
    except Exception as broken:  # pydicom documents no exceptions for damaged content
        raise Unreadable(type(broken).__name__) from None
    finally:
        logger.disabled = before


def _entry(stream: io.BytesIO, size: int, position: str) -> io.BytesIO:
    try:
        for name, entry in dicom_archive.entries(stream, size, DEFAULT_LIMITS):
            if name == position and not isinstance(entry, Stopped):
                return io.BytesIO(entry.read())
    except Stopped:
        raise Unreadable("archive") from None
    raise Unreadable("archive entry")
