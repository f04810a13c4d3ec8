"""What is written and told of rulings: fields with claims, frames and judges, and the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..agreement.claims import decisive
from ..agreement.ruling import ANNOTATION, REFUSED, UNSETTLED, Ruling
from .grounding_rulings import Rulings
from .grounding_settings import COSINE, GroundSettings
from .grounding_units import Unit


def columns(units: Sequence[Unit], rulings: Rulings, settings: GroundSettings) -> dict:
    """What is written: ``{name: {unit's own id: value}}``."""
    written: dict[str, dict] = {
        settings.ruling(kind): {} for kind in ("", "margin", "ratio", "by", "details")
    }
    written[settings.suggestion] = {}
    for unit in units:
        ruling = rulings.found.get(unit.key)
        if ruling is None:
            continue
        details = _details(unit, ruling, rulings, settings)
        ratio = rulings.ratios[unit.key]
        values = {
            settings.ruling(): ruling.winner,
            settings.ruling("margin"): ruling.margin if ruling.winner != REFUSED else None,
            settings.ruling("ratio"): ratio if ratio == ratio else None,
            settings.ruling("by"): "; ".join(
                f"{judge['method']}: {judge['model']} ({judge['revision']})"
                for judge in details["judges"]
            ),
            settings.ruling("details"): details,
            settings.suggestion: unit.texts[ruling.best] if ruling.overruled else None,
        }
        for name, value in values.items():
            written[name][unit.key] = value
    return written


def _details(unit: Unit, ruling: Ruling, rulings: Rulings, settings: GroundSettings) -> dict:
    chances = rulings.chances.get(unit.key, {})
    decided = _decided(unit, ruling, chances)
    seen = next((r for m, r in unit.results.items() if m != COSINE), {})
    spans = {
        row[0]: row[4:6] for r in unit.results.values() for row in r["asked"] if row[4] is not None
    }
    return {
        "reason": ruling.reason,
        "chances": {party: round(chance, 4) for party, chance in ruling.chances.items()},
        "texts": dict(unit.texts),
        "claims": [
            {
                "party": party,
                "text": claim.text,
                "kind": claim.kind,
                "chance": round(chances[claim.text], 4) if claim.text in chances else None,
                "asked": any(claim.text in _asked(r) for r in unit.results.values()),
                "span": spans.get(claim.text) or spans.get(claim.target),
                "decisive": (party, place) in decided,
            }
            for party, claims in unit.claims.items()
            for place, claim in enumerate(claims)
        ],
        "frames": seen.get("frames", []),
        "seconds": seen.get("seconds", []),
        "judges": [
            {
                "method": method,
                "model": result["model"],
                "revision": result["revision"],
                "refused": rulings.biases[method].refused,
            }
            for method, result in unit.results.items()
        ],
    }


def _asked(result: dict) -> set[str]:
    return {row[0] for row in result["asked"]}


def _decided(unit: Unit, ruling: Ruling, chances: dict[str, float]) -> set[tuple[str, int]]:
    if ruling.winner in (REFUSED, UNSETTLED):
        return set()
    rivals = [p for p in unit.texts if p != ANNOTATION and p in ruling.chances]
    if ruling.winner == ANNOTATION:
        loser = max(rivals, key=ruling.chances.get, default=None)
    else:
        loser = ANNOTATION
    sides = [unit.claims.get(party, []) for party in (ruling.winner, loser)]
    given = [[chances.get(claim.text) for claim in claims] for claims in sides]
    found = decisive(sides[0], given[0], sides[1], given[1])
    return {(ruling.winner if ours else loser, place) for ours, place in found}


def report_rows(rulings: Rulings, units: Sequence[Unit]) -> tuple[list[dict], list[dict]]:
    """The judges and the rulings as tables."""
    by = {method: result for unit in units for method, result in unit.results.items()}
    judges = [
        {"method": method}
        | {name: by.get(method, {}).get(name) for name in ("model", "revision")}
        | {**bias.as_dict(), "refused": bias.refused or "no"}
        | {"judged": sum(method in unit.results for unit in units)}
        for method, bias in rulings.biases.items()
    ]
    tally = Counter(ruling.winner for ruling in rulings.found.values())
    return judges, [{"ruling": winner, "count": count} for winner, count in tally.most_common()]
