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
        self._warnings: dict[str, None] = {}
        self.known = self.missing = 0

    def add(self, aspect: Aspect, triangle: Triangle) -> None:
        """Adds one block's triangle of an aspect."""
        for name, calibration in {**triangle.edges, "all": triangle.panel}.items():
            row: dict[str, Any] = {"missing": int(np.isnan(calibration.match).sum())}
            if calibration.warning:
                self._warnings[f"{aspect.name}, {name}: {calibration.warning}"] = None
            else:
                row |= calibration.report | {"share": calibration.share}
                row["mean"] = float(np.nanmean(calibration.match))
            self._rows.setdefault((aspect.name, name), []).append(row)
        self._votes[aspect.name].append(triangle.votes)
        if not triangle.panel.warning:
            self._add_null(aspect.name, triangle.panel)

    def add_fused(self, fused: Calibration | None, samples: int) -> None:
        """Adds one block's confidence in whole annotations."""
        known = 0 if fused is None else int((~np.isnan(fused.match)).sum())
        self.known += known
        self.missing += samples - known

    def report(self, total: int, blocks: int, encoder: str, noun: str = "samples") -> dict:
        """The report of all blocks, which hold so many of what the noun names."""
        rows = [self._row(key, blocks_of) for key, blocks_of in self._rows.items()]
        votes = {
            name: round(float(np.nanmean(values)), 2)
            for name, values in self._votes.items()
            if values and not np.isnan(values).all()
        }
        summary = [
            f"Calibrated {self.known:,} of {total:,} {noun} in {blocks} "
            f"block{'s' * (blocks != 1)}; "
            f"{self.missing:,} have too few texts to judge.",
            *self._warnings,
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
