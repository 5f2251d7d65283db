"""Handle quotation marks of delimited text, so that a mark that is never closed swallows no other rows.

RFC 4180 allows line breaks in a quoted cell. In an unquoted export, a mark may be part of the text. If a cell
begins with such a mark, a parser reads to the next mark or to the end of the file, and all rows between are
lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator


class StrayQuotes:
    """Iterate over lines, with marks that are no quotation escaped as text.

    Args:
        lines: physical lines, each with its line break.
        delimiter: one character.
        width: returns the number of columns; 0 before the header was read.
        most: maximum characters of one record; a longer one means a mark that is no quotation.
        note: called with the number of every line whose mark was no quotation.
    """

    def __init__(
        self,
        lines: Iterator[str],
        delimiter: str,
        width: Callable[[], int],
        most: int,
        note: Callable[[int], None],
    ) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._width = width
        self._most = most
        self._note = note
        self._ahead: deque[str] = deque()
        self._number = 0

    def __iter__(self) -> Iterator[str]:
        while (line := self._next(0)) is not None:
            length = self._record_length(line) if '"' in line else 1
            if not length:
                self._note(self._number + 1)
                line = self._literal(line)
                length = 1
            yield line
            self._taken()
            for _ in range(length - 1):
                yield self._ahead[0]
                self._taken()

    def _next(self, place: int) -> str | None:
        while len(self._ahead) <= place:
            line = next(self._lines, None)
            if line is None:
                return None
            self._ahead.append(line)
        return self._ahead[place]

    def _taken(self) -> None:
        self._ahead.popleft()
        self._number += 1

    def _record_length(self, line: str) -> int:
        """Count the lines of the record that begins here; 0 if a quotation in it is never closed."""
        width = self._width()
        inside, sound, _ = self._scan(line, inside=False)
        length, size = 1, len(line)
        while inside and sound:
            following = self._next(length)
            if following is None:
                return 0
            inside, sound, before = self._scan(following, inside=True)
            size += len(following)
            # After a line break in a cell comes the rest of its row. If a whole row follows, it is a row of
            # its own.
            if size > self._most or (width > 1 and before >= width - 1):
                return 0
            length += 1
        return length if sound else 0

    def _scan(self, line: str, *, inside: bool) -> tuple[bool, bool, int]:
        """Follow the quotation through one line.

        Returns:
            Whether the line ends inside a quotation; whether every closing mark ends its cell; and the number
            of delimiters in the quotation that was open at the start of the line.
        """
        delimiter, place, before = self._delimiter, 0, 0
        begun_inside, sound = inside, True
        if not inside and not line.startswith('"'):
            place = self._cell_begin(line, 0)
        while place < len(line):
            if not inside:
                # ``place`` is at the mark that opens a cell.
                inside, place = True, place + 1
                continue
            mark = line.find('"', place)
            end = len(line) if mark < 0 else mark
            if begun_inside:
                before += line.count(delimiter, place, end)
            if mark < 0:
                break
            if line.startswith('""', mark):
                place = mark + 2
                continue
            inside, begun_inside = False, False
            after = line[mark + 1 : mark + 2]
            if after not in ("", delimiter, "\r", "\n"):
                sound = False
            place = self._cell_begin(line, mark + 1)
        return inside, sound, before

    def _cell_begin(self, line: str, place: int) -> int:
        """Return the start of the next cell that begins with a mark; the line's length if there is none."""
        found = line.find(f'{self._delimiter}"', place)
        return len(line) if found < 0 else found + 1

    def _literal(self, line: str) -> str:
        """Return the line with every mark escaped, so that a parser takes it as text."""
        text = line.rstrip("\r\n")
        cells = (cell.replace('"', '""') for cell in text.split(self._delimiter))
        return self._delimiter.join(f'"{cell}"' for cell in cells) + line[len(text) :]
