"""A dataset as an older version of this plugin left it; this writes it anew.

python3 bootstrap.py --database tests -- python -m tests.release.stored COMMIT
"""

import shutil
import sys
import tempfile
from pathlib import Path

import fiftyone as fo

from tests.release.installing import Machine

#: FiftyOne's own export of a dataset: samples, fields, runs and views.
KEPT = Path(__file__).with_name("stored.zip")


def make(commit: str, machine: Machine, name: str) -> fo.Dataset:
    """The dataset that the plugin of a commit leaves in this process's database."""
    machine.download(commit)
    assert machine.first_audit(name)["errors"] == []
    return fo.load_dataset(name)


def load(name: str) -> fo.Dataset:
    """The dataset that the repository keeps."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.unpack_archive(KEPT, folder)
        kind = fo.types.FiftyOneDataset
        return fo.Dataset.from_dir(folder, kind, name=name, persistent=True, progress=False)


def main(commit: str) -> None:
    """Makes the dataset and keeps it."""
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder) / "machine", None, fo.config.database_name)
        dataset = make(commit, machine, "second-opinion-stored")
        out = str(Path(folder) / "dataset")
        dataset.export(out, fo.types.FiftyOneDataset, export_media=False, progress=False)
        shutil.make_archive(str(KEPT.with_suffix("")), "zip", out)
        dataset.delete()


if __name__ == "__main__":
    main(sys.argv[1])
