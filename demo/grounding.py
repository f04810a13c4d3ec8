"""Asks the demo's judge about the least trusted annotations, and counts its right rulings."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Mapping

import fiftyone as fo
import fiftyone.operators as foo

from demo.audit import ASPECT, PLUGIN, REVIEWED
from demo.errors import KINDS
from demo.judge import PixelJudge
from demo.selfcheck import BEYOND, GOOD

_JUDGING = "fiftyone.plugins.orgs.second_opinion.audit.models.judging"
#: The judge must see every frame: what moves is told by how it moves.
FRAMES = {"fps": 12.0, "max_frames": 200, "max_pixels": 480 * 480}
#: Undisputed clips that show how right texts are answered.
REFERENCES = 24
_FEW = 12


def ground(samples: object, judge: str, make: Callable[[], PixelJudge], **settings: object) -> dict:
    """Runs ground_disputes with a judge of the demo's; gives its report."""
    operator = foo.get_operator(f"{PLUGIN}/ground_disputes")  # loads the plugin
    importlib.import_module(_JUDGING).register(judge, make)
    given = {"methods": ["own"], "judge": judge, "aspect": ASPECT, "which": "all", **FRAMES}
    return operator(samples, **{**given, **settings})


def run(
    dataset: fo.Dataset, kinds: Mapping[str, str], say: Callable[[str], None]
) -> dict[str, Counter]:
    """Grounds the fifth of the annotations with the least confidence, and prints what came of it.

    Args:
        dataset: the audited dataset
        kinds: ``{uid: kind of annotation}``, which the judge does not see
        say: takes one line

    Returns:
        ``{kind: {ruling: count}}``
    """
    scored = dataset.exists(f"confidence_{ASPECT}").sort_by(f"confidence_{ASPECT}")
    doubtful = scored.limit(round(REVIEWED * len(dataset)))
    if not len(doubtful):
        say("\nNothing was calibrated, so there is no doubt for the pixels to settle.")
        return {}
    say("\nA judge that is shown black frames only is asked first; the controls must catch it.")
    blind = {"references": 0, "retag": False, "windows": 1}
    few = doubtful.limit(_FEW)
    report = ground(few, "blind", lambda: PixelJudge(blind=True), **blind)
    say(f"ground_disputes: {report['summary'][2]}")
    say("\nNow the judge that looks at the pixels, on the fifth with the least confidence.")
    report = ground(doubtful, "pixels", PixelJudge, references=REFERENCES, windows=2)
    say(f"ground_disputes: {' '.join(report['summary'])}")
    found = rulings_by_kind(doubtful, kinds)
    for line in [*table(found), *example(doubtful)]:
        say(line)
    return found


def example(samples: object) -> list[str]:
    """One annotation that was overruled, with what decided and what is suggested instead."""
    fields = ["video_uid", f"ruling_{ASPECT}_details", f"suggested_{ASPECT}"]
    for uid, details, suggested in zip(*samples.values(fields)):
        decided = [claim for claim in (details or {}).get("claims", ()) if claim["decisive"]]
        if not suggested or not decided:
            continue
        lines = ["", f"For example {uid}. {details['reason']} What decided:"]
        for claim in decided[:3]:
            who = "annotation" if claim["party"] == "annotation" else f"witness {claim['party']}"
            lines.append(f"  {claim['chance']:4.0%}  {claim['text']}  (said by the {who})")
        return [*lines, f"  Suggested instead: {suggested}"]
    return []


def rulings_by_kind(samples: object, kinds: Mapping[str, str]) -> dict[str, Counter]:
    """``{kind of annotation: {upheld, overruled, unsettled, refused: count}}``."""
    found: dict[str, Counter] = {}
    for uid, winner in zip(*samples.values(["video_uid", f"ruling_{ASPECT}"])):
        told = {"annotation": "upheld", None: "not asked"}.get(winner, winner)
        told = told if told in ("upheld", "unsettled", "refused", "not asked") else "overruled"
        found.setdefault(kinds[uid], Counter())[told] += 1
    return found


def table(found: Mapping[str, Counter]) -> list[str]:
    """The rulings as lines of text, the planted errors first."""
    columns = ("upheld", "overruled", "unsettled", "refused", "not asked")
    wide = max(len(words) for words in (*KINDS.values(), BEYOND)) + 2
    lines = ["", f"{'':{wide}}{'asked':>8}" + "".join(f"  {name:>10}" for name in columns)]
    for kind in (*KINDS, GOOD, BEYOND):
        if kind in found:
            counts = found[kind]
            cells = "".join(f"  {counts[name]:>10}" for name in columns)
            lines.append(f"{KINDS.get(kind, kind):{wide}}{counts.total():>8}{cells}")
    planted = sum((found[kind] for kind in KINDS if kind in found), Counter())
    good = found.get(GOOD, Counter())
    lines += [
        "",
        f"Of {planted.total()} planted errors among the least trusted {planted['overruled']} were "
        f"overruled and {planted['upheld']} upheld; of {good.total()} good labels {good['upheld']} "
        f"were upheld and {good['overruled']} overruled.",
    ]
    return lines
