"""Which sample a row of a file speaks of: by its id, its file's name, or its video."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import fiftyone as fo

from ..engine.columns import read_chunks
from ..engine.problems import Problems
from ..engine.records import Record

#: The columns that may name a sample, the surest first.
KEY_COLUMNS = ("sample_id", "id", "filepath", "filename", "stem", "video_uid")

_AMBIGUOUS = ""
_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}\Z")


class SampleKeys:
    """Finds samples by the names that other people's files give them.

    Args:
        samples: the dataset or view in which to look; others are not found
    """

    def __init__(self, samples: fo.core.collections.SampleCollection) -> None:
        self._ids: set[str] = set()
        self._by_name: dict[str, str] = {}
        for chunk in read_chunks(samples, ["filepath", "video_uid"]):
            self._ids.update(chunk.ids)
            for sample_id, path, uid in zip(chunk.ids, *chunk.columns.values()):
                for name in {path, _file_name(path), _stem(path), uid if uid else path}:
                    known = self._by_name.setdefault(name, sample_id)
                    if known != sample_id:
                        self._by_name[name] = _AMBIGUOUS

    def __len__(self) -> int:
        return len(self._ids)

    def find(self, record: Record, problems: Problems) -> str | None:
        """The id of the sample that a row speaks of; None, and why, where there is none."""
        given = [str(record.values[c]).strip() for c in KEY_COLUMNS if record.values.get(c)]
        if not given:
            problems.add("key_missing", f"{record.where}: none of {', '.join(KEY_COLUMNS)}")
            return None
        found = {self._id_of(key) for key in given} - {None}
        if not found:
            problems.add("key_unmatched", f"{record.where}: {given[0][:80]!r}")
            return None
        found.discard(_AMBIGUOUS)
        if len(found) != 1:
            problems.add("key_ambiguous", f"{record.where}: {given[0][:80]!r} fits several samples")
            return None
        return found.pop()

    def _id_of(self, key: str) -> str | None:
        if key in self._ids:
            return key
        # "clip.mp4" and "clip.json" are about clip; "clip.1" may be another clip.
        names = [key, _file_name(key)]
        for name in [*names, _stem(key)] if _ENDING.search(key) else names:
            if name in self._by_name:
                return self._by_name[name]
        return None


def _file_name(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name


def _stem(path: str) -> str:
    return PurePosixPath(_file_name(path)).stem
