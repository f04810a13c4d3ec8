"""Aspects, witnesses and edges: what is compared with what, and the fields' names.

An *aspect* is one thing that both the annotation and the witnesses speak of. An
*edge* is two parties compared: a witness with the annotation, named after the
witness (``q``), or two witnesses, named after both (``qm``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_FORM = '{"name": "caption", "annotation": "gt_caption", "opinions": {"a": "blip_caption"}}'


@dataclass(frozen=True)
class Edge:
    """Two parties compared on one aspect.

    Attributes:
        name: ``q`` for a witness against the annotation, ``qm`` for two witnesses
        aspect: the aspect's name
        left: the field of the witness
        right: the field of the annotation, or of the second witness
        witnesses: the witnesses that take part, one or two
    """

    name: str
    aspect: str
    left: str
    right: str
    witnesses: tuple[str, ...]

    @property
    def against_annotation(self) -> bool:
        """Whether the annotation is one of the two parties."""
        return len(self.witnesses) == 1

    def field(self, metric: str) -> str:
        """The name of the field that holds ``metric`` of this edge."""
        return score_field(metric, self.name, self.aspect)


@dataclass(frozen=True)
class Aspect:
    """One thing that the annotation and the witnesses both speak of.

    Attributes:
        name: the aspect's name, such as ``sum_brief``
        annotation: the field that holds the label under audit
        opinions: ``{witness: field}``
    """

    name: str
    annotation: str
    opinions: dict[str, str]

    @property
    def fields(self) -> list[str]:
        """The annotation's field and every witness's field."""
        return [self.annotation, *self.opinions.values()]

    def edges(self, names: Sequence[str] | None = None) -> list[Edge]:
        """The edges of this aspect, witnesses against the annotation first."""
        edges = [
            Edge(witness, self.name, field, self.annotation, (witness,))
            for witness, field in self.opinions.items()
        ]
        edges += [
            Edge(a + b, self.name, self.opinions[a], self.opinions[b], (a, b))
            for a, b in combinations(self.opinions, 2)
        ]
        return edges if names is None else [edge for edge in edges if edge.name in names]


def score_field(metric: str, edge: str, aspect: str) -> str:
    """The name of a score field: ``{metric}_{edge}_{aspect}``."""
    return f"{metric}_{edge}_{aspect}"


# aspect: (the hoisted annotation, its TemporalDetections field, the opinions' suffix)
_ACTION100M = {
    "sum_brief": ("gpt_summary_root_brief", "gpt_summary_brief", "summary_brief"),
    "sum_detailed": ("gpt_summary_root_detailed", "gpt_summary_detailed", "summary_detailed"),
    "act_brief": ("gpt_action_root_brief", "gpt_action_brief", "action_brief"),
    "act_detailed": ("gpt_action_root_detailed", "gpt_action_detailed", "action_detailed"),
    "actor": ("gpt_action_root_actor", "gpt_action_actor", "action_actor"),
}

#: The five aspects of Action100M, under the names that the workshop gave them.
ACTION100M = tuple(
    Aspect(name, annotation, {"q": f"qwen3vl_{suffix}", "m": f"molmo_{suffix}"})
    for name, (annotation, _, suffix) in _ACTION100M.items()
)

#: ``{TemporalDetections field: flat field}``: what hoisting fills by default.
ACTION100M_HOISTED = {source: annotation for annotation, source, _ in _ACTION100M.values()}

#: ``{suffix of an opinion's field: path in a model's answer}``.
ACTION100M_ANSWER = {suffix: tuple(suffix.split("_", 1)) for _, _, suffix in _ACTION100M.values()}

PRESETS = {"action100m": ACTION100M}


def read_aspects(given: str | Iterable[dict | Aspect]) -> tuple[Aspect, ...]:
    """Reads the ``aspects`` setting: a preset's name, or a list of aspects.

    Args:
        given: ``"action100m"``, or a list of dicts with ``name``, ``annotation``
            and ``opinions`` (``{witness: field}``)

    Returns:
        the aspects, in order

    Raises:
        ValueError: a sentence that says what is wrong and what to write instead
    """
    if isinstance(given, str):
        if given not in PRESETS:
            raise ValueError(
                f"There is no preset of aspects called {given!r}. Use one of "
                f"{', '.join(PRESETS)}, or a list such as [{_FORM}]."
            )
        return PRESETS[given]
    if isinstance(given, dict) or not isinstance(given, Iterable):
        raise ValueError(f"Aspects must be a preset's name or a list such as [{_FORM}].")
    aspects = tuple(item if isinstance(item, Aspect) else _read_aspect(item) for item in given)
    if not aspects:
        raise ValueError(f"The list of aspects is empty. Write at least one, such as {_FORM}.")
    _refuse_twins([aspect.name for aspect in aspects], "Two aspects are called {}.")
    for aspect in aspects:
        _refuse_twins(
            [edge.name for edge in aspect.edges()],
            "The witnesses' names make two edges called {}; rename a witness.",
        )
    return aspects


def recall_aspects(settings: Mapping | None) -> tuple[Aspect, ...]:
    """The aspects that a run's settings name; none where a run of another version left them."""
    given = (settings or {}).get("aspects")
    try:
        listed = json.loads(given) if isinstance(given, str) and given[:1] == "[" else given
        return read_aspects(listed)
    except (TypeError, ValueError):
        return ()


def edge_names(aspects: Iterable[Aspect]) -> list[str]:
    """Every edge that occurs in the aspects, in order of appearance."""
    return list(dict.fromkeys(edge.name for aspect in aspects for edge in aspect.edges()))


def witness_names(aspects: Iterable[Aspect]) -> list[str]:
    """Every witness that occurs in the aspects, in order of appearance."""
    return list(dict.fromkeys(name for aspect in aspects for name in aspect.opinions))


def _read_aspect(item: object) -> Aspect:
    if not isinstance(item, dict) or set(item) != {"name", "annotation", "opinions"}:
        raise ValueError(
            f"An aspect needs the keys name, annotation and opinions, as in {_FORM}; "
            f"this one is {item!r}."
        )
    name, annotation, opinions = item["name"], item["annotation"], item["opinions"]
    if not isinstance(opinions, dict) or not all(
        isinstance(field, str) and field for field in opinions.values()
    ):
        raise ValueError(
            f"The opinions of aspect {name!r} must map a witness to its field, as in {_FORM}."
        )
    if not isinstance(annotation, str) or not annotation:
        raise ValueError(f"Aspect {name!r} must name the field of its annotation, as in {_FORM}.")
    for label in (name, *opinions):
        if not isinstance(label, str) or not _NAME.match(label):
            raise ValueError(
                f"{label!r} cannot be part of a field's name: aspects and witnesses take "
                "letters, digits and underscores, and begin with a letter."
            )
    return Aspect(name, annotation, dict(opinions))


def _refuse_twins(names: list[str], sentence: str) -> None:
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise ValueError(sentence.format(" and ".join(map(repr, twins))))
