"""Writes requirements-dev.lock: the versions that the tests were last run with.

Walks from requirements.txt and the group dev to everything that they brought into this
environment. torch and torchvision stand in bootstrap.py, since their builds differ by machine.
"""

import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info < (3, 11):
    sys.exit("The lock is written with Python 3.11.")
import tomllib

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements-dev.lock"
APART = re.compile(r"torch|torchvision|triton|nvidia-.*|cuda-.*|pip|setuptools|wheel")


def wanted():
    """The requirements as the project declares them, of users and developers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    lines += [line for group in groups.values() for line in group if isinstance(line, str)]
    return [Requirement(line) for line in lines]


def installed(requirements):
    """Every distribution that they lead to: ``{name: version}``."""
    found, left = {}, [(r, extra) for r in requirements for extra in ("", *r.extras)]
    seen = set()
    while left:
        requirement, extra = left.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in seen or APART.fullmatch(name):
            continue
        seen.add((name, extra))
        try:
            there = distribution(name)
        except PackageNotFoundError:
            sys.exit(f"{requirement} is not installed here; run make lint first, then this again.")
        found[name] = there.version
        for line in there.requires or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                left += [(needed, more) for more in ("", *needed.extras)]
    return found


def main():
    """Writes the lock."""
    found = installed(wanted())
    head = (
        "# The versions that the tests were last run with, written by make lock: Python "
        f"{platform.python_version()}, {platform.system()} {platform.machine()}.\n"
        "# Users get the ranges of requirements.txt.\n"
    )
    lines = [f"{name}=={version}\n" for name, version in sorted(found.items())]
    LOCK.write_text(head + "".join(lines), encoding="utf-8")
    print(f"{len(lines)} versions written to {LOCK.name}.")


if __name__ == "__main__":
    main()
