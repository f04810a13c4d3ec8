"""What a stranger does with the repository: downloads its archive and installs it, offline."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
PLUGIN = "@second-opinion/audit"


def has_commit(revision: str) -> bool:
    """Whether git and this commit are at hand: neither is where only the files were downloaded."""
    with contextlib.suppress(FileNotFoundError):
        command = ["git", "cat-file", "-e", f"{revision}^{{commit}}"]
        return subprocess.run(command, cwd=REPO, capture_output=True).returncode == 0
    return False


def archive(revision: str, file: Path) -> Path:
    """Writes the committed files as a hub would offer them, in one folder of a zip."""
    command = ["git", "archive", "--format=zip", "--prefix=audit/", f"--output={file}", revision]
    subprocess.run(command, cwd=REPO, check=True)
    return file


@contextlib.contextmanager
def served(file: Path) -> Iterator[str]:
    """The address of a server of this machine's that offers the file."""
    handler = functools.partial(_Quiet, directory=str(file.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{file.name}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing of each request."""


class Machine:
    """A person's machine: an environment of Python, a plugins folder, a database.

    Args:
        folder: an empty folder for the plugins and settings
        environment: of Python; that of the tests where None
        database: the name of its database on the tests' server
    """

    def __init__(self, folder: Path, environment: Path | None, database: str) -> None:
        self.plugins = folder / "plugins"
        self.plugins.mkdir(parents=True)
        self.bin = environment / "bin" if environment else Path(sys.executable).parent
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self.variables = kept | {
            "PATH": os.pathsep.join([str(self.bin), os.environ["PATH"]]),
            "VIRTUAL_ENV": str(self.bin.parent),
            "FIFTYONE_CONFIG_PATH": str(folder / "fiftyone.json"),
            "FIFTYONE_APP_CONFIG_PATH": str(folder / "fiftyone_app.json"),
            "FIFTYONE_DEFAULT_DATASET_DIR": str(folder / "datasets"),
            "FIFTYONE_PLUGINS_DIR": str(self.plugins),
            "FIFTYONE_DATABASE_NAME": database,
            "FIFTYONE_DO_NOT_TRACK": "true",
            "FIFTYONE_SHOW_PROGRESS_BARS": "false",
            "HF_HUB_OFFLINE": "1",
        }

    def run(self, *command: str, fails: bool = False) -> str:
        """Runs a command of this environment; gives all that it printed.

        Raises:
            AssertionError: where it ends otherwise than ``fails`` says
        """
        line = [str(self.bin / command[0]), *command[1:]]
        done = subprocess.run(
            line,
            cwd=self.plugins.parent,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert bool(done.returncode) is fails, f"{' '.join(line)}\n{done.stdout}"
        return done.stdout

    def download(self, revision: str) -> Path:
        """``fiftyone plugins download`` from an archive of a commit; gives the plugin's folder."""
        with served(archive(revision, self.plugins.parent / "audit.zip")) as address:
            self.run("fiftyone", "plugins", "download", address)
        return self.plugins / PLUGIN

    def first_audit(self, dataset: str) -> dict:
        """What a stranger's first audit makes of a small dataset."""
        script = Path(__file__).with_name("first_audit.py")
        return json.loads(self.run("python", str(script), dataset).strip().splitlines()[-1])
