"""Writes what the code knows of itself: docs/reference and the table of operators in the README.

    python docs/generate.py            writes what has changed
    python docs/generate.py --check    says what has changed, and fails if anything has

Every page follows from declarations: a stage's settings, its description and what it says it
writes. A test compares what is committed with what this would write.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import fiftyone.operators as foo

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = Path("docs/reference")
PLUGIN = "fiftyone.plugins.orgs.second_opinion.audit"
BEGIN = "<!-- operators: written by make docs -->"
END = "<!-- operators end -->"

_MADE = "<!-- Written by make docs from the code's own declarations; changes here are lost. -->"
_ASPECT = {"name": "caption", "annotation": "gt", "opinions": {"a": "blip", "b": "llava"}}
_KINDS = {
    "text": "a text",
    "number": "a number",
    "integer": "a whole number",
    "flag": "True or False",
    "json": "a dict, or JSON",
    "aspects": "a preset's name, or a list of aspects",
    "numbers": "numbers by name",
    "field": "a field",
    "path": "a file or folder",
}


def pages() -> dict[Path, str]:
    """What the reference and the README have to hold: ``{path from the root: text}``."""
    foo.list_operators()  # loads the plugin
    operators = [operator() for operator in import_module(f"{PLUGIN}.operators").OPERATORS]
    panels = [panel() for panel in import_module(f"{PLUGIN}.panels").PANELS]
    found = {REFERENCE / f"{o.config.name}.md": operator_page(o) for o in operators}
    found |= {REFERENCE / f"{panel.name}.md": panel_page(panel) for panel in panels}
    found[REFERENCE / "README.md"] = index_page(operators, panels)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found[Path("README.md")] = between_marks(readme, operators_table(operators, REFERENCE))
    return found


def outdated() -> dict[Path, str]:
    """Those of :func:`pages` that are committed differently, or not at all."""
    return {path: text for path, text in pages().items() if _read(path) != text}


def strangers() -> list[Path]:
    """Pages of stages and panels that are no more."""
    known = set(pages())
    return [path for path in _committed() if path not in known]


# ---- the pages ----


def operator_page(operator: foo.Operator) -> str:
    """One operator: what it does, how it is called, its settings and what it writes."""
    config = operator.config
    parts = [f"# {config.name}", _MADE, f"**{config.label}.** {_marked(config.description)}"]
    if not hasattr(operator, "settings"):  # a button of the App, with nothing to set
        return _joined([*parts, "A button above the samples' grid. It takes no settings."])
    parts += [f"```python\n{call(operator)}\n```", facts(operator)]
    parts += ["## Settings", settings_table(operator.settings)]
    written = written_table(operator)
    return _joined([*parts, "## What it writes", written] if written else parts)


def call(operator: foo.Operator) -> str:
    """The operator's call in Python, with those settings that have no usable default."""
    unset = operator.settings()
    declared = operator.settings.declared().items()
    needed = [f"{n}=..." for n, (_, spec) in declared if spec.required and not getattr(unset, n)]
    first = "dataset" if operator.needs_samples else "None"
    given = ", ".join([first, *needed])
    uri = f"@second-opinion/audit/{operator.name}"
    return (
        f'import fiftyone.operators as foo\n\nstage = foo.get_operator("{uri}")\n'
        f"report = stage({given})"
    )


def facts(operator: foo.Operator) -> str:
    """Where it runs, and how much harm a mistaken run can do."""
    queued = "suggested" if operator.prefers_delegation else "possible"
    shared = "can be shared" if "shards" in operator.settings.declared() else "one worker does it"
    return (
        f"Risk: {operator.risk.value}. Queueing for a worker (`delegate=True`): {queued}. "
        f"Among workers: {shared}."
    )


def settings_table(settings: type) -> str:
    """Every setting: its name and label, what it does, the values it takes and its default."""
    if not settings.declared():
        return "None."
    unset = settings()
    rows = ["| setting | what it does | values | default |", "| --- | --- | --- | --- |"]
    for name, (_, spec) in settings.declared().items():
        shown = "" if spec.shown(unset) else " Not in the form as it opens."
        label = f"{spec.label}: {spec.help}.".replace("..", ".")
        default = "needed" if spec.required and not getattr(unset, name) else None
        default = default or _default(getattr(unset, name))
        rows.append(_row(f"`{name}`", label + shown, values(spec), default))
    return "\n".join(rows)


def values(spec: object) -> str:
    """Which values a setting takes, in words."""
    if spec.kind == "numbers" or not spec.choices:
        said = _KINDS[spec.kind]
        if spec.kind == "field" and spec.types:
            said += " of type " + " or ".join(dict.fromkeys(t.__name__ for t in spec.types))
    else:
        said = ", ".join(f"`{choice}`" for choice in spec.choices)
    if spec.many:
        said = f"a list of: {said}" if spec.choices else f"a list; each {said}"
    return said + _range(spec)


def written_table(operator: foo.Operator) -> str:
    """The sample fields that it declares for settings as they are by default, or one aspect."""
    settings, told = operator.settings(), "With the settings as they are by default:"
    declared = operator.settings.declared()
    if "aspects" in declared:  # the preset's five would say the same five times
        own = {"aspects": [_ASPECT]}
        if "aspect" in declared:
            own["aspect"] = _ASPECT["name"]
        settings, told = replace(settings, **own), f"With `aspects=[{json.dumps(_ASPECT)}]`:"
    elif "prefix" in declared:
        settings, told = replace(settings, prefix="qwen3vl"), 'With `prefix="qwen3vl"`:'
    try:
        written = operator.writes(settings)
    except (AttributeError, TypeError, ValueError):  # it depends on a setting without a default
        return ""
    if not written:
        return ""
    rows = [told, "", "| field | type | what it holds |", "| --- | --- | --- |"]
    for name, (kind, description, *_) in written.items():
        rows.append(_row(f"`{name}`", f"`{kind.__name__}`", description))
    return "\n".join(rows)


def panel_page(panel: foo.Panel) -> str:
    """One panel: where it opens, and the help that stands in the App."""
    where = "the sample's modal as well as the grid" if "modal" in panel.surfaces else "the grid"
    category = getattr(panel.category, "value", panel.category)
    opened = f"A panel of {where}; the menu of panels lists it under *{category}*."
    return _joined([f"# {panel.label} (`{panel.name}`)", _MADE, opened, panel.help.strip()])


def index_page(operators: list, panels: list) -> str:
    """The list of all pages."""
    rows = [f"- [{panel.label}]({panel.name}.md): {_first(panel.help)}" for panel in panels]
    return _joined(
        [
            "# Reference",
            _MADE,
            "Every operator, in the order of an audit; its page lists every setting.",
            operators_table(operators, Path()),
            "## Panels",
            "\n".join(rows),
        ]
    )


def operators_table(operators: list, folder: Path) -> str:
    """One row an operator: its name, what it does, and what it writes."""
    rows = ["| operator | what it does | what it writes |", "| --- | --- | --- |"]
    for operator in operators:
        config = operator.config
        link = f"[`{config.name}`]({(folder / config.name).as_posix()}.md)"
        does, writes = does_and_writes(config.description)
        rows.append(_row(link, _marked(does), _marked(writes)))
    return "\n".join(rows)


def does_and_writes(description: str) -> tuple[str, str]:
    """An operator's description in two: its first sentence, and what follows "writes"."""
    first, *rest = _sentences(description)
    does, _, writes = first.partition(", and writes ")
    if not writes:
        said = [sentence[len("Writes ") :] for sentence in rest if sentence.startswith("Writes ")]
        writes = said[0] if said else " ".join(rest)
        writes = writes if said else writes[:1].lower() + writes[1:]
    return does.rstrip("."), writes.rstrip(".")


def between_marks(text: str, table: str) -> str:
    """The text with the table between its marks.

    Raises:
        ValueError: where the marks are missing
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The README has lost its marks; put {BEGIN} and {END} around the table.")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


# ---- small things ----


def _default(value: object) -> str:
    if value is None or value in ([], {}, ""):
        return "empty"
    if isinstance(value, dict):
        return ", ".join(f"`{name}`: {_plain(number)}" for name, number in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{value}`"


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else f"`{value}`"


def _range(spec: object) -> str:
    low, high = (None if n is None else f"{n:g}" for n in (spec.low, spec.high))
    if low is not None and high is not None:
        return f", {low} to {high}"
    if low is not None:
        return f", {low} or more"
    return "" if high is None else f", {high} or less"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _marked(text: str) -> str:
    """Names of fields as code, so that none is taken for markup."""
    return re.sub(r"[\w{}<>*]*\w_[\w{}<>*]*(\.\.\.)?", r"`\g<0>`", text)


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=\.)\s+(?=[A-Z])", text)


def _first(text: str) -> str:
    return _sentences(" ".join(text.split()))[0]


def _joined(parts: list[str]) -> str:
    wrapped = [
        part if part.startswith(("```", "|", "-", "<!", "With")) else textwrap.fill(part, 100)
        for part in parts
    ]
    return "\n\n".join(wrapped) + "\n"


def _read(path: Path) -> str | None:
    return (ROOT / path).read_text(encoding="utf-8") if (ROOT / path).exists() else None


def _committed() -> list[Path]:
    return sorted(path.relative_to(ROOT) for path in (ROOT / REFERENCE).glob("*.md"))


def main(arguments: list[str]) -> int:
    """Writes, or with ``--check`` only tells; gives the process's status."""
    changed, gone = outdated(), strangers()
    told = "would change" if "--check" in arguments else "written"
    for path in [*changed, *gone]:
        print(f"{path}: {told}")
    if "--check" in arguments:
        return int(bool(changed or gone))
    for path, text in changed.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")
    for path in gone:
        (ROOT / path).unlink()
    print(f"{len(changed)} of {len(pages())} pages written.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
