"""From declared settings to the App's forms, and from a report to a page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import fiftyone as fo
from fiftyone.operators import types

from ..engine.labels import LABEL_LISTS, text_names
from .settings import Settings, SettingsError, Spec, default_of, suitable_fields

if TYPE_CHECKING:
    from .base import Stage


# A person who clicks picks an annotation and opinions; JSON is for those who type.
OWN_FIELDS = "my own fields"
_OWN_INPUTS = ("annotation", "opinions")
_WITNESSES = "abcdefghijklmnopqrstuvwxyz"


def read(
    declared: type[Settings], params: dict, ignore: tuple[str, ...]
) -> tuple[Settings | None, dict[str, str]]:
    """Reads a form's parameters: the settings, or None and what is wrong with them."""
    try:
        return declared.read(_with_own_aspect(params), ignore=(*ignore, *_OWN_INPUTS)), {}
    except SettingsError as error:
        return None, error.problems


def build(
    stage: Stage,
    dataset: fo.Dataset | None,
    settings: Settings | None,
    problems: dict[str, str],
    texts: list[str] | None = None,
) -> types.Property:
    """The stage's form: an input a setting, what is wrong, and what will be written.

    Args:
        stage: the stage
        dataset: the dataset, if there is one
        settings: what was filled in; None where it cannot be read
        problems: ``{setting: sentence}``
        texts: what :func:`own_texts` found
    """
    inputs = types.Object()
    shown = set()
    for name, (f, spec) in stage.settings.declared().items():
        if settings is None or spec.shown(settings):
            prop = _add_input(inputs, name, spec, default_of(f), dataset)
            shown.add(name)
            if spec.kind == "aspects" and texts is not None:
                _add_own_fields(inputs, texts)
            if name in problems:
                prop.invalid = True
                prop.error_message = problems[name]
    elsewhere = [sentence for name, sentence in problems.items() if name not in shown]
    if elsewhere:
        inputs.str(
            "problem",
            view=types.Error(label=" ".join(elsewhere)),
            required=False,
        )
        inputs.get_property("problem").invalid = True
        inputs.get_property("problem").error_message = " ".join(elsewhere)
    elif not problems and settings is not None:
        inputs.view("preview", types.Notice(label=_preview(stage.writes(settings))))
    return types.Property(inputs, view=types.View(label=stage.label))


def own_texts(params: dict, dataset: fo.Dataset | None) -> list[str] | None:
    """The texts to choose from where a person picks fields: samples', or segments' if chosen.

    Returns:
        their names; None where the person does not pick fields
    """
    if params.get("aspects") != OWN_FIELDS:
        return None
    segments = params.get("segments")
    if dataset is None or segments not in suitable_fields(dataset, LABEL_LISTS):
        return suitable_fields(dataset, (fo.StringField,))
    return text_names(dataset, segments)


def report(label: str, results: dict | None, view: fo.DatasetView | None) -> types.Property:
    """The page after a run: its sentences, its tables, and a button to its samples."""
    outputs = types.Object()
    results = results or {}
    for i, sentence in enumerate(results.get("summary", [])):
        outputs.view(f"summary_{i}", types.Notice(label=sentence))
    for name, rows in results.items():
        if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
            _add_table(outputs, name, rows)
    if view is not None:
        outputs.btn(
            "show",
            label=f"Show {view.count():,} samples",
            icon="filter_alt",
            variant="contained",
            on_click="set_view",
            params={"view": view._serialize()},
        )
    return types.Property(outputs, view=types.View(label=label))


def _with_own_aspect(params: dict) -> dict:
    if params.get("aspects") != OWN_FIELDS:
        return dict(params)
    annotation, opinions = params.get("annotation"), params.get("opinions") or []
    if not annotation or not opinions:
        raise SettingsError({"aspects": "Choose the annotation and at least one opinion."})
    opinions = dict(zip(_WITNESSES, opinions))
    aspect = {"name": annotation, "annotation": annotation, "opinions": opinions}
    return {**params, "aspects": [aspect]}


def _add_aspects(inputs: types.Object, name: str, default: str, common: dict) -> types.Property:
    choices = types.AutocompleteView(allow_user_input=True)
    for value in (default, OWN_FIELDS):
        choices.add_choice(value, label=value)
    return inputs.str(name, default=default, view=choices, **common)


def _add_own_fields(inputs: types.Object, texts: list[str]) -> None:
    one, several = types.DropdownView(), types.DropdownView(multiple=True)
    for text in texts:
        one.add_choice(text, label=text)
        several.add_choice(text, label=text)
    inputs.str("annotation", label="Annotation", description="The text under audit", view=one)
    inputs.list(
        "opinions",
        types.String(),
        label="Opinions",
        description="What other models said of the same samples: witnesses a, b, ...",
        view=several,
    )


def _add_input(
    inputs: types.Object, name: str, spec: Spec, default: Any, dataset: fo.Dataset | None
) -> types.Property:
    common = {"label": spec.label, "description": spec.help, "required": spec.required}
    if spec.kind == "numbers":
        return _add_numbers(inputs, name, spec, default)
    if spec.kind == "flag":
        return inputs.bool(name, default=default, **common)
    if spec.kind in ("number", "integer"):
        add = inputs.float if spec.kind == "number" else inputs.int
        return add(name, default=default, **common)
    if spec.kind == "aspects":
        return _add_aspects(inputs, name, default, common)
    values = list(spec.choices)
    if spec.kind == "field":
        values = suitable_fields(dataset, spec.types)
    if spec.many:
        return _add_list(inputs, name, values, default, common)
    if spec.choices or spec.kind == "field":
        choices = types.DropdownView()
        for value in values:
            choices.add_choice(value, label=value)
        # a plain text with a dropdown, so that our own sentence refuses a wrong value
        return inputs.str(name, default=default, view=choices, **common)
    if spec.kind == "json":
        text = default if isinstance(default, str) or default is None else json.dumps(default)
        return inputs.str(name, default=text, **common)
    return inputs.str(name, default=default, **common)


def _add_list(
    inputs: types.Object, name: str, values: list, default: object, common: dict
) -> types.Property:
    choices = types.AutocompleteView(allow_user_input=not values, allow_duplicates=False)
    if values:
        choices = types.DropdownView(multiple=True)
    for value in values:
        choices.add_choice(value, label=value)
    return inputs.list(name, types.String(), default=default, view=choices, **common)


def _add_numbers(
    inputs: types.Object, name: str, spec: Spec, default: dict[str, float]
) -> types.Property:
    group = types.Object()
    for key, value in default.items():
        group.float(key, default=value, label=key.replace("_", " "))
    return inputs.define_property(
        name, group, label=spec.label, description=spec.help, required=False
    )


def _add_table(outputs: types.Object, name: str, rows: list[dict]) -> None:
    table = types.TableView(label=name.replace("_", " "))
    columns = list(dict.fromkeys(key for row in rows for key in row))
    for key in columns:
        table.add_column(key, label=key.replace("_", " "))
    row_type = types.Object()
    for key in columns:
        row_type.str(key)
    outputs.define_property(
        name, types.List(row_type), view=table, default=[_as_text(row, columns) for row in rows]
    )


def _as_text(row: dict, columns: list[str]) -> dict[str, str]:
    return {key: _cell(row.get(key)) for key in columns}


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _preview(writes: dict[str, tuple]) -> str:
    if not writes:
        return "No sample field will be written."
    names = list(writes)
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return f"Will write {len(names)} field{'s' if len(names) > 1 else ''}: {shown}."
