"""JSON values out of a text file, one at a time, whatever its size."""

from __future__ import annotations

import json
from typing import Any

_CHUNK = 1 << 20  # characters
_SPACE = " \t\r\n"
# Within so many characters of the end of what was read, an error may only mean
# that a word, a number or an escape goes on in what was not read yet.
_MARGIN = 16


class JsonStream:
    """Takes JSON values one by one from a text file that need not fit in memory."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self._decoder = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._ended = False

    def _more(self) -> bool:
        # Reading as much again as is held keeps a long value's re-reading linear.
        read = self._source.read(max(_CHUNK, len(self._text) - self._at))
        self._text, self._at = self._text[self._at :] + read, 0
        self._ended = not read
        return bool(read)

    def at_end(self) -> bool:
        """Skips white space; tells whether nothing follows."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return False
            if self._ended or not self._more():
                return True

    def skip(self, character: str) -> bool:
        """Takes ``character`` if it comes next."""
        if self.at_end() or self._text[self._at] != character:
            return False
        self._at += 1
        return True

    def value(self) -> tuple[Any, str]:
        """Takes one value; gives it, and the text it was written as.

        Raises:
            ValueError: if it is broken
            EOFError: if the file ends inside it
        """
        while True:
            self.at_end()
            start = self._at
            try:
                value, end = self._decoder.raw_decode(self._text, start)
                # A number at the end of what was read may go on.
                if end < len(self._text) or self._ended:
                    self._at = end
                    return value, self._text[start:end]
            except json.JSONDecodeError as error:
                near_end = error.pos >= len(self._text) - _MARGIN
                if not near_end and "Unterminated" not in error.msg:
                    raise
                if self._ended:
                    raise EOFError("the file ends inside a row") from error
            self._more()
