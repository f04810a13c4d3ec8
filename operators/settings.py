"""A stage's settings, declared once: form, defaults, validation and signature follow.

A stage writes a frozen dataclass whose fields are made by :func:`setting`::

    @dataclass(frozen=True)
    class HoistSettings(Settings):
        tier: str = setting("root", "Tier", "Which nodes to hoist", choices=("root", "leaf"))

Values arrive from Python as they are, and from the App's form as text, numbers
and lists; :meth:`Settings.read` makes both the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import fiftyone as fo

#: The kinds of values, which decide the input in the form and how text is read.
KINDS = ("text", "number", "integer", "flag", "json", "aspects", "numbers", "field", "path")


class SettingsError(ValueError):
    """Settings that cannot work, found before any work was done.

    Attributes:
        problems: ``{setting: sentence}``; the key ``samples`` speaks of the samples
    """

    def __init__(self, problems: dict[str, str]) -> None:
        self.problems = problems
        super().__init__(" ".join(problems.values()))


@dataclass(frozen=True)
class Spec:
    """What one setting means to a person and which values it takes.

    Attributes:
        label: what the form calls it
        help: one sentence that says what it does
        kind: one of :data:`KINDS`
        choices: the values allowed; empty when any will do
        many: whether it is a list of values
        low: the lowest number allowed
        high: the highest number allowed
        types: for the kind ``field``, the field types that suit
        required: whether None and "" are refused
        shown: whether the form shows it, given the other settings
        late: whether it comes after all others
    """

    label: str
    help: str
    kind: str = "text"
    choices: tuple = ()
    many: bool = False
    low: float | None = None
    high: float | None = None
    types: tuple = ()
    required: bool = False
    shown: Callable[[Settings], bool] = lambda settings: True
    late: bool = False


def setting(default: object, label: str, help: str, **spec: Any) -> Any:
    """Declares one setting of a stage; see :class:`Spec` for the keywords.

    Args:
        default: the default value; a list or dict is copied for every use
        label: what the form calls it
        help: one sentence that says what it does
    """
    spec.setdefault("kind", _kind_of(default))
    metadata = {"spec": Spec(label, help, **spec)}
    if isinstance(default, (list, dict)):
        return field(default_factory=lambda: type(default)(default), metadata=metadata)
    return field(default=default, metadata=metadata)


Declared = TypeVar("Declared", bound="Settings")


@dataclass(frozen=True)
class Settings:
    """The settings that a stage takes; stages subclass it."""

    @classmethod
    def declared(cls) -> dict[str, tuple[Field, Spec]]:
        """``{name: (dataclass field, spec)}``, in the order of the form."""
        ordered = sorted(fields(cls), key=lambda f: f.metadata["spec"].late)
        return {f.name: (f, f.metadata["spec"]) for f in ordered}

    @classmethod
    def read(cls: type[Declared], given: dict, ignore: Iterable[str] = ()) -> Declared:
        """Reads settings given in Python or by a form.

        Args:
            given: ``{name: value}``
            ignore: names that belong to somebody else

        Raises:
            SettingsError: for every unknown name and every value that cannot be read
        """
        declared, problems = cls.declared(), {}
        values: dict[str, Any] = {}
        for name, value in given.items():
            if name in ignore:
                continue
            if name not in declared:
                problems[name] = (
                    f"There is no setting {name!r} here; there are {', '.join(declared)}."
                )
                continue
            try:
                values[name] = _read_value(declared[name][1], value)
            except ValueError as error:
                problems[name] = f"{declared[name][1].label}: {error}"
        for name, (f, spec) in declared.items():
            if name in values and values[name] is None and not spec.required:
                values[name] = default_of(f)
            if isinstance(default_of(f), dict) and isinstance(values.get(name), dict):
                if spec.kind == "numbers":
                    values[name] = {**default_of(f), **values[name]}
        if problems:
            raise SettingsError(problems)
        return cls(**values)

    def problems(self, dataset: fo.Dataset | None) -> dict[str, str]:
        """What is wrong with values that could be read: ``{name: sentence}``."""
        found = {}
        for name, (_, spec) in self.declared().items():
            sentence = _problem(spec, getattr(self, name), dataset)
            if sentence:
                found[name] = f"{spec.label}: {sentence}"
        return found

    def as_params(self) -> dict:
        """The settings as a form holds them, fit for JSON."""
        params = {}
        for name, (_, spec) in self.declared().items():
            value = getattr(self, name)
            if (
                spec.kind in ("json", "aspects")
                and not isinstance(value, str)
                and value is not None
            ):
                value = json.dumps(value)
            if value is not None:
                params[name] = list(value) if isinstance(value, tuple) else value
        return params


def default_of(f: Field) -> Any:
    """The default value of a declared setting."""
    factory: Any = f.default_factory
    return factory() if f.default is MISSING else f.default


def suitable_fields(dataset: fo.Dataset | None, types: Sequence) -> list[str]:
    """The dataset's fields of the given types, for a dropdown; [] with no dataset."""
    if dataset is None:
        return []
    return [
        name for name, f in dataset.get_field_schema().items() if not types or _has_type(f, types)
    ]


def _has_type(f: fo.Field, types: Sequence) -> bool:
    document = getattr(f, "document_type", None)
    return isinstance(f, tuple(t for t in types if issubclass(t, fo.Field))) or (
        document is not None
        and issubclass(document, tuple(t for t in types if not issubclass(t, fo.Field)))
    )


def _kind_of(default: object) -> str:
    if isinstance(default, bool):
        return "flag"
    if isinstance(default, int):
        return "integer"
    if isinstance(default, float):
        return "number"
    return "json" if isinstance(default, dict) else "text"


def _read_value(spec: Spec, value: object) -> object:
    if value is None or value == "":
        return None
    if spec.many:
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"write a list, not {value!r}.")
        return list(value)
    if spec.kind in ("number", "integer"):
        return _read_number(spec, value)
    if spec.kind == "flag":
        if not isinstance(value, bool):
            raise ValueError(f"write True or False, not {value!r}.")
        return value
    if spec.kind in ("json", "aspects"):
        return _read_json(value)
    if spec.kind == "numbers":
        return _read_numbers(value)
    if spec.kind == "path":
        # absolute, since a worker starts in another folder
        return str(Path(str(value)).expanduser().absolute())
    if not isinstance(value, str):
        raise ValueError(f"write a text, not {value!r}.")
    return value


def _read_number(spec: Spec, value: object) -> float | int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"write a number, not {value!r}.")
    if spec.kind == "number":
        return float(value)
    if int(value) != value:
        raise ValueError(f"write a whole number, not {value!r}.")
    return int(value)


def _read_numbers(value: object) -> dict[str, float]:
    value = _read_json(value)
    if not isinstance(value, dict):
        raise ValueError('write numbers by name, such as {"high": 0.6}.')
    return {key: _read_number(Spec("", "", "number"), number) for key, number in value.items()}


def _read_json(value: object) -> object:
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError(f"this is not JSON ({error}).") from error


def _problem(spec: Spec, value: Any, dataset: fo.Dataset | None) -> str | None:
    if value is None or value == []:
        return "this one is needed." if spec.required else None
    if spec.choices and spec.kind != "numbers":
        wrong = [v for v in (value if spec.many else [value]) if v not in spec.choices]
        if wrong:
            return f"{wrong[0]!r} is not one of {', '.join(map(repr, spec.choices))}."
    if spec.kind in ("number", "integer"):
        return _out_of_range(spec, value)
    if spec.kind == "numbers":
        for name, number in value.items():
            if spec.choices and name not in spec.choices:
                return f"there is no {name!r}; there are {', '.join(spec.choices)}."
            if _out_of_range(spec, number):
                return f"{name}: {_out_of_range(spec, number)}"
    if spec.kind == "field" and dataset is not None:
        for name in value if spec.many else [value]:
            sentence = _field_problem(dataset, name, spec.types)
            if sentence:
                return sentence
    return None


def _out_of_range(spec: Spec, number: float) -> str | None:
    low, high = spec.low, spec.high
    inside = (low is None or number >= low) and (high is None or number <= high)
    if inside:  # nan is inside nothing
        return None
    if low is not None and high is not None:
        return f"{number:g} is not between {low:g} and {high:g}."
    bound = f"at least {low:g}" if high is None else f"at most {high:g}"
    return f"{number:g} is not {bound}."


def _field_problem(dataset: fo.Dataset, name: str, types: Sequence) -> str | None:
    f = dataset.get_field(name)
    if f is None:
        suitable = suitable_fields(dataset, types)
        listed = ", ".join(suitable[:8]) if suitable else "none"
        return f"the dataset has no field {name!r}; fields that would do: {listed}."
    if types and not _has_type(f, types):
        wanted = " or ".join(t.__name__ for t in types)
        found = getattr(f, "document_type", None) or type(f)
        return f"the field {name!r} is a {found.__name__}, and a {wanted} is needed."
    return None
