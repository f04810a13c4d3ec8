"""Where a model's weights come from, and exactly which version of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import constants
from huggingface_hub.file_download import repo_folder_name
from transformers.utils import cached_file

from .errors import ModelUnavailable
from .file_identity import folder_identity
from .known import split_revision

_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_LOCAL = "local-"


@dataclass(frozen=True)
class Source:
    """Where the weights come from.

    Attributes:
        name: a name on the hub, or a folder
        revision: the commit, found out before anything is loaded, so that weights, tokenizer
            and processor are of one version; ``local-`` and a short name of its contents for
            a folder
        trust_remote_code: whether code that comes with the weights may run here
    """

    name: str
    revision: str
    trust_remote_code: bool = False

    @classmethod
    def of(cls, name: str, revision: str | None = None, trust_remote_code: bool = False) -> Source:
        """Finds out which weights are meant.

        Args:
            name: a name on the hub, ``name@revision``, or a folder
            revision: a commit, a tag or a branch; None for the known or newest commit
            trust_remote_code: whether code that comes with the weights may run here

        Raises:
            ModelUnavailable: if a folder is given with a revision
            OSError: if the hub has no such model or revision, or cannot be reached
        """
        if Path(name).is_dir():
            if revision:
                raise ModelUnavailable(f"{name} is a folder, which has no revisions.")
            return cls(name, f"{_LOCAL}{folder_identity(name)}", trust_remote_code)
        base, asked = split_revision(name, revision)
        return cls(base, _commit(base, asked), trust_remote_code)

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return self.revision.startswith(_LOCAL)

    @property
    def identity(self) -> str:
        """What loads exactly these weights again: ``name@commit``, or the folder."""
        return self.name if self.is_local else f"{self.name}@{self.revision}"

    @property
    def keywords(self) -> dict[str, Any]:
        """The keywords that every ``from_pretrained`` takes."""
        revision = None if self.is_local else self.revision
        return {"revision": revision, "trust_remote_code": self.trust_remote_code}


def is_commit(revision: str | None) -> bool:
    """Whether a revision names one version for ever, as a tag or a branch does not."""
    return bool(revision) and _COMMIT.match(revision) is not None


def cached_commits(name: str) -> list[str]:
    """The commits of a model that this machine's cache holds, the newest first."""
    folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=name, repo_type="model")
    snapshots = [path for path in (folder / "snapshots").glob("*") if path.is_dir()]
    return [path.name for path in sorted(snapshots, key=lambda p: -p.stat().st_mtime)]


def _commit(name: str, asked: str | None) -> str:
    # Every checkpoint has one of the two, and both are small
    found = cached_file(
        name, "modules.json", revision=asked, _raise_exceptions_for_missing_entries=False
    ) or cached_file(name, "config.json", revision=asked)
    return Path(found).parent.name  # .../snapshots/{commit}/config.json
