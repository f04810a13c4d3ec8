"""What a calibration tells of itself, gathered block by block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..agreement.aspects import Aspect

if TYPE_CHECKING:  # slow to import
    from ..agreement.match import Calibration
    from ..agreement.triangle import Triangle

_BINS = 20


class Tally:
    """Gathers what each block's calibration reports, weighted by its pairs.

    Args:
        aspects: the aspects that are calibrated
    """

    def __init__(self, aspects: Sequence[Aspect]) -> None:
        self._aspects = list(aspects)
        self._rows: dict[tuple[str, str], list[dict]] = {}
        self._votes: dict[str, list[float]] = {aspect.name: [] for aspect in aspects}
        self._null: dict[str, np.ndarray] = {}
        self._few: dict[tuple[str, str], int] = {}
        self.known = self.missing = self.unlearnt = 0

    def add(self, aspect: Aspect, triangle: Triangle) -> None:
        """Adds one block's triangle of an aspect."""
        for name, calibration in {**triangle.edges, "all": triangle.panel}.items():
            row: dict[str, Any] = {"missing": int(np.isnan(calibration.match).sum())}
            if not calibration.warning:
                row |= calibration.report | {"share": calibration.share}
                row["mean"] = float(np.nanmean(calibration.match))
            self._rows.setdefault((aspect.name, name), []).append(row)
        self._votes[aspect.name].append(triangle.votes)
        if not triangle.panel.warning:
            self._add_null(aspect.name, triangle.panel)
        for name, calibration in triangle.edges.items():
            if calibration.warning and (name in aspect.opinions or not triangle.panel.warning):
                of = aspect.name, "" if triangle.panel.warning else name
                self._few[of] = max(self._few.get(of, 0), calibration.report["pairs"])

    def add_fused(self, fused: Calibration | None, comparable: np.ndarray) -> None:
        """Adds one block's confidence in whole annotations.

        Args:
            fused: the confidence; None where no aspect could be calibrated
            comparable: ``n`` booleans: an annotation and an opinion of it are there
        """
        known = np.zeros(len(comparable), dtype=bool) if fused is None else ~np.isnan(fused.match)
        self.known += int(known.sum())
        self.missing += int((~known).sum())
        self.unlearnt += int((comparable & ~known).sum())

    def report(self, total: int, blocks: int, encoder: str, noun: str = "samples") -> dict:
        """The report of all blocks, which hold so many of what the noun names."""
        rows = [self._row(key, blocks_of) for key, blocks_of in self._rows.items()]
        votes = {
            name: round(float(np.nanmean(values)), 2)
            for name, values in self._votes.items()
            if values and not np.isnan(values).all()
        }
        others = f"; of {self.unlearnt:,} others nothing could be learnt" if self.unlearnt else ""
        summary = [
            f"Calibrated {self.known:,} of {total:,} {noun} in {blocks} "
            f"block{'s' * (blocks != 1)}; {self.missing - self.unlearnt:,} lack a text to "
            f"compare, or one says N/A{others}.",
            *self._tell_few(),
        ]
        if votes:
            said = ", ".join(
                f"{votes[a.name]:g} of {len(a.opinions)} for {a.name}"
                for a in self._aspects
                if a.name in votes
            )
            summary.append(f"The witnesses err together: they are worth {said} votes.")
        return {
            "summary": summary,
            noun: total,
            "missing": self.missing,
            "encoder": encoder,
            "votes": votes,
            "calibration": rows,
            "null": {name: counts.tolist() for name, counts in self._null.items()},
        }

    def _tell_few(self) -> list[str]:
        """What could not be learnt, why, and what to do: said once, whatever aspects and edges."""
        if not self._few:
            return []
        from ..agreement.match import PAIRS_NEEDED

        of = ", ".join(
            f"{aspect}{f' by {edge}' if edge else ''} ({pairs:,} pairs of texts)"
            for (aspect, edge), pairs in self._few.items()
        )
        named = [set(a.opinions) for a in self._aspects if (a.name, "") in self._few]
        others = named and all({"q", "m"} <= witnesses for witnesses in named)
        workshop = ", or tag by rules='workshop'" if others else ""
        return [
            f"No probability could be learnt of {of}: at least {PAIRS_NEEDED} pairs with unlike "
            "annotations are needed. Audit more at once; until then sort by a score, the lowest "
            f"first{workshop}."
        ]

    def _add_null(self, aspect: str, panel: Calibration) -> None:
        # How probable wrong pairs look: drawn beside the labels' own confidence.
        from ..agreement.mixture import match_probability

        ratios = panel.wrong_log_ratio[~np.isnan(panel.wrong_log_ratio)]
        counts, _ = np.histogram(match_probability(ratios, panel.share), _BINS, (0.0, 1.0))
        self._null[aspect] = self._null.get(aspect, 0) + counts

    def _row(self, key: tuple[str, str], blocks: list[dict]) -> dict:
        known = [block for block in blocks if "share" in block]
        row: dict[str, Any] = {
            "aspect": key[0],
            "edge": key[1],
            "pairs": sum(block["pairs"] for block in known),
            "missing": sum(block["missing"] for block in blocks),
        }
        if not known:
            return row
        weights = [block["pairs"] for block in known]
        for name in ("mean", "share", "ece", "brier"):
            row[name] = _average([block[name] for block in known], weights)
        kinds = {kind for block in known for kind in block["auroc"]}
        for kind in sorted(kinds):
            values = [block["auroc"].get(kind, np.nan) for block in known]
            row[f"auroc {kind}"] = _average(values, weights)
        carried = known[0]["carried_by"]
        first = sorted(carried, key=carried.get, reverse=True)[:3]
        row["carried by"] = ", ".join(f"{name} {carried[name]:.0%}" for name in first)
        return row


def _average(values: list[float], weights: list[int]) -> float | None:
    known = [(v, w) for v, w in zip(values, weights) if v == v]
    total = sum(w for _, w in known)
    return round(sum(v * w for v, w in known) / total, 3) if total else None
