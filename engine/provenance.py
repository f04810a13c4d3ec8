"""Which settings, versions and samples made these numbers: kept as FiftyOne custom runs."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from uuid import uuid4

import fiftyone as fo

from .columns import root_dataset

#: Every run key of ours begins so.
PREFIX = "second_opinion_"

_SUFFIX = len("_20260131_235959_ab12")

_PACKAGES = ("fiftyone", "numpy", "rapidfuzz", "scikit-learn", "sentence-transformers", "torch")


def register(
    samples: fo.core.collections.SampleCollection, stage: str, settings: dict, report: dict
) -> str:
    """Keeps a finished stage's settings, versions and report with the dataset.

    Returns:
        the run's key, ``second_opinion_{stage}_{UTC time}_{four digits}``
    """
    now = datetime.now(timezone.utc)
    key = f"{PREFIX}{stage}_{now:%Y%m%d_%H%M%S}_{uuid4().hex[:4]}"
    dataset = root_dataset(samples)
    config = dataset.init_run(
        stage=stage,
        settings=_json(settings),
        finished=now.isoformat(timespec="seconds"),
        samples=len(samples),
        view=None if isinstance(samples, fo.Dataset) else str(samples),
        versions=_versions(),
    )
    dataset.register_run(key, config)
    dataset.save_run_results(key, dataset.init_run_results(key, report=_json(report)))
    return key


def run_keys(dataset: fo.Dataset, stage: str = "") -> list[str]:
    """The keys of our runs on the dataset, oldest first; of one stage if named.

    Work of a stage on labels, or for one model, has a name of its own and is not among them.
    """
    keys = [key for key in dataset.list_runs() if key.startswith(PREFIX)]
    if stage:
        keys = [key for key in keys if work_of(key) == stage]
    return sorted(keys, key=lambda key: dataset.get_run_info(key).timestamp)


def run_configs(dataset: fo.Dataset, stage: str) -> Iterator[fo.RunConfig]:
    """What our runs of a stage left of themselves, the newest first."""
    for key in reversed(run_keys(dataset, stage)):
        yield dataset.get_run_info(key).config


def work_of(key: str) -> str:
    """The name of the work that a run did: the stage's, or one that begins with it."""
    return key[len(PREFIX) : -_SUFFIX]


def last_report(dataset: fo.Dataset, stage: str) -> dict | None:
    """The newest report of a stage, or None where it never ran."""
    keys = run_keys(dataset, stage)
    return dataset.load_run_results(keys[-1], cache=False).report if keys else None


@lru_cache
def plugin_version() -> str:
    """The version of this plugin, as ``fiftyone.yml`` has it: the one place where it stands."""
    manifest = Path(__file__).resolve().parents[1] / "fiftyone.yml"
    return re.search(r"^version:\s*(\S+)", manifest.read_text(encoding="utf-8"), re.M)[1]


def _versions() -> dict[str, str]:
    found = {"second-opinion": plugin_version(), "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _json(value: dict) -> dict:
    return json.loads(json.dumps(value, default=str))
