"""A cache as Hugging Face's hub leaves it: commits in folders, and branches that name them."""

import shutil
from pathlib import Path

FIRST, SECOND = "a" * 40, "b" * 40


class Cache:
    """A cache of one's own, from which models load by name while the hub is out of reach."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def publish(self, name, checkpoint, commit, main=True):
        """Puts a checkpoint there as a commit of a model, perhaps the newest."""
        repo = self.folder / f"models--{name.replace('/', '--')}"
        snapshot = repo / "snapshots" / commit
        shutil.copytree(checkpoint, snapshot)
        (repo / "refs").mkdir(exist_ok=True)
        if main:
            (repo / "refs" / "main").write_text(commit)
        return snapshot


def change_weights(folder):
    """Makes the weights of a checkpoint others, in files of the same size."""
    from safetensors.torch import load_file, save_file

    for path in Path(folder).rglob("*.safetensors"):
        weights = {key: value.flip(0).contiguous() for key, value in load_file(path).items()}
        save_file(weights, path, metadata={"format": "pt"})
