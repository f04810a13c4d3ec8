"""The house's order: which room may lean on which, and how large a file may grow."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

#: room: the rooms below it, which it may import from.
BELOW = {
    "operators": {"engine", "models", "agreement"},
    "panels": {"engine", "models", "agreement"},
    "engine": set(),
    "models": set(),
    "agreement": set(),
}
#: What a room must never import, at the top of a file or inside a function.
FORBIDDEN = {
    "agreement": {"fiftyone", "torch", "transformers", "sentence_transformers", "av", "pyarrow"},
    "models": {"fiftyone", "ray", "pymongo", "bson"},
    "engine": {"torch", "transformers", "sentence_transformers"},
}
#: The files of a room that meet FiftyOne: its interface for models, and its labels.
MEETS_FIFTYONE = {"models/zoo.py", "models/zoo_source.py", "models/labels.py"}
#: What would slow the App's start: operators and panels import these inside functions only.
HEAVY = {"torch", "transformers", "sentence_transformers", "av", "sklearn", "pyarrow", "ray"}

MAX_LINES = 300
#: A function fits on a screen.
MAX_FUNCTION = 60
#: A file of tests is a list, and may be longer.
MAX_TEST_LINES = 400
VAGUE = {"utils", "util", "common", "helpers", "helper", "misc", "tools"}


def python_files(*folders):
    """The checkout's Python files, as paths from its root, hidden folders left out."""
    tops = [top for top in ROOT.iterdir() if not top.name.startswith(".")]
    files = [file for top in tops for file in ([top] if top.is_file() else top.rglob("*.py"))]
    files = [file.relative_to(ROOT) for file in files if file.suffix == ".py"]
    return sorted(file for file in files if not folders or file.parts[0] in folders)


def parse(file):
    return ast.parse((ROOT / file).read_text(encoding="utf-8"), filename=str(file))


def imported(file, node):
    """The dotted names that an import statement reaches, ours as ``room.module``."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not node.level:
        return [node.module]
    base = file.parent.parts[: len(file.parent.parts) - node.level + 1]
    if node.module:
        return [".".join([*base, node.module])]
    return [".".join([*base, alias.name]) for alias in node.names]


def imports(file, everywhere=True):
    """Every ``(name, relative)`` imported by a file, or only by its top level."""
    tree = parse(file)
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            ours = isinstance(node, ast.ImportFrom) and node.level > 0
            yield from ((name, ours) for name in imported(file, node))


def needed_files(file):
    """Those of our files that one cannot run without, wherever in it they are imported."""
    tree = parse(file)
    tree.body = [node for node in tree.body if not is_for_type_checkers(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = Path(*file.parent.parts[: len(file.parent.parts) - node.level + 1])
            base = base.joinpath(*(node.module or "").split("."))
            for path in (base, *(base / alias.name for alias in node.names)):
                yield path.with_suffix(".py")


def is_for_type_checkers(node):
    """Whether a statement is ``if TYPE_CHECKING:``, which never runs."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def test_the_rooms_are_found():
    assert {file.parts[0] for file in python_files(*BELOW)} == set(BELOW)


@pytest.mark.parametrize("room", BELOW)
def test_a_room_leans_only_on_those_below(room):
    allowed = {room, *BELOW[room]}
    upward = [
        f"{file} imports {name}"
        for file in python_files(room)
        for name, ours in imports(file)
        if ours and name.split(".")[0] not in allowed
    ]
    assert not upward


@pytest.mark.parametrize("room", FORBIDDEN)
def test_a_room_knows_nothing_of_what_is_not_its_business(room):
    strangers = [
        f"{file} imports {name}"
        for file in python_files(room)
        for name, ours in imports(file)
        if not ours and name.split(".")[0] in FORBIDDEN[room]
        if not (name.split(".")[0] == "fiftyone" and file.as_posix() in MEETS_FIFTYONE)
    ]
    assert not strangers


def test_what_the_app_loads_at_its_start_is_light():
    slow = [
        f"{file} imports {name} at its top"
        for file in python_files("operators", "panels")
        for name, ours in imports(file, everywhere=False)
        if not ours and name.split(".")[0] in HEAVY
    ]
    assert not slow


def test_there_is_one_copy_of_our_code_in_a_process():
    """Our rooms are reached relatively, or by FiftyOne's long name; never as top-level packages."""
    second_copies = [
        f"{file} imports {name}"
        for file in python_files()
        for name, ours in imports(file)
        if not ours and name.split(".")[0] in BELOW
    ]
    assert not second_copies


def test_files_stay_small():
    lengths = {
        file.as_posix(): len((ROOT / file).read_text(encoding="utf-8").splitlines())
        for file in python_files()
    }
    limits = {name: MAX_TEST_LINES if name[:6] == "tests/" else MAX_LINES for name in lengths}
    assert not {name: n for name, n in lengths.items() if n > limits[name]}


def test_functions_fit_on_a_screen():
    too_long = [
        f"{file} {node.name}"
        for file in python_files()
        for node in ast.walk(parse(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.end_lineno - node.lineno >= MAX_FUNCTION
    ]
    assert not too_long


def test_no_files_of_a_room_need_each_other():
    """What only a type checker reads may point both ways; what runs may not."""
    needs = {file: set(needed_files(file)) for file in python_files(*BELOW)}
    while free := [file for file, needed in needs.items() if not needed & needs.keys()]:
        for file in free:
            del needs[file]
    assert not sorted(map(str, needs))


def test_names_of_files_say_what_is_inside():
    assert not [str(file) for file in python_files() if file.stem.lower() in VAGUE]
