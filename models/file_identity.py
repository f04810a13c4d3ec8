"""What tells one version of a file from another, at the price of three short reads."""

from __future__ import annotations

import hashlib
from pathlib import Path

_BLOCK = 16 * 1024
# What shapes a model's answers; a folder's README does not
_SHAPING = frozenset({".json", ".txt", ".jinja", ".model", ".safetensors", ".py"})


def file_identity(path: str | Path) -> str:
    """A short name of a file's content: its size, its beginning, its middle and its end.

    A copy, a moved folder or a changed date keep the name, so that nothing is done again for
    them; an edit, another encoding or other weights change it. Only an edit that leaves the
    size and all three places alone goes unnoticed, which encoders and savers do not make.

    Args:
        path: the file

    Returns:
        32 hexadecimal digits (BLAKE2b, 128 bits)

    Raises:
        OSError: if the file cannot be read
    """
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        digest = hashlib.blake2b(str(size).encode(), digest_size=16)
        for start in (0, max(0, size // 2 - _BLOCK // 2), max(0, size - _BLOCK)):
            file.seek(start)
            digest.update(file.read(_BLOCK))
    return digest.hexdigest()


def folder_identity(folder: str | Path) -> str:
    """A short name of the contents of a folder of weights, its files' names included.

    Args:
        folder: the folder; only its weights, configurations, vocabularies and code count

    Returns:
        12 hexadecimal digits
    """
    folder = Path(folder)
    digest = hashlib.blake2b(digest_size=6)
    for path in sorted(p for p in folder.rglob("*") if p.suffix in _SHAPING and p.is_file()):
        name = path.relative_to(folder).as_posix()
        digest.update(f"{name}\0{file_identity(path)}\0".encode())
    return digest.hexdigest()
