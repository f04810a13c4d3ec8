"""How far verdicts can be trusted: replaced annotations found, promises kept, fine edits seen.

    python -m benchmarks.verdicts            # a few minutes on two cores
    python -m benchmarks.verdicts --seeds 1  # quicker

15% of the annotations are replaced and everything is scored as one dataset; no score
knows which. AUROC of replaced against not, the workshop's lexical and semantic scores
beside the calibrated confidence. ECE: does a confidence of 0.8 mean 8 in 10. FDR: of
the labels called suspect at a stated rate, how many were not replaced. The replaced
annotations are copies of other clips', which the confidence takes into account; the
column "texts alone" does not, and is what to expect of errors that are no copies. Fine edits: how
often a text scores above its copy with one thing changed, against one opinion.
Texts come from ../shared/data where it is there, and are made up otherwise.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections import defaultdict

import fiftyone.operators as foo
import numpy as np

from benchmarks.scenarios import (
    DATA,
    Clips,
    action100m,
    coco,
    generated,
    replace_any,
    replace_near,
    replace_within,
)

RATES = (0.05, 0.1, 0.2)
EDITS = ("actor", "attribute", "object", "relation", "number", "action", "swap", "negation")
TARGETS = {
    ("within", "sum_brief"): 0.93,
    ("within", "sum_detailed"): 0.96,
    ("within", "act_brief"): 0.82,
    ("within", "act_detailed"): 0.88,
    ("within", "all aspects"): 0.96,
    ("any other", "caption"): 0.995,
    ("near", "caption"): 0.93,
}


def ours(module: str) -> object:
    """A module of the plugin, which FiftyOne has loaded under a name of its own."""
    return importlib.import_module(f"fiftyone.plugins.orgs.second_opinion.audit.{module}")


class Texts:
    """Encodes each text once."""

    def __init__(self) -> None:
        self.encoder = ours("models.encoder").Encoder()
        self._known: dict[str, tuple] = {}

    def party(self, texts: list[str | None]) -> object:
        """The texts as one side of an edge."""
        new = list(dict.fromkeys(t for t in texts if t and t not in self._known))
        vectors, tokens = self.encoder.encode_tokens(new)
        self._known.update(zip(new, zip(vectors, tokens)))
        blank = np.full(self.encoder.dimension, np.nan, dtype=np.float32)
        found = [self._known[t] if t else (blank, None) for t in texts]
        vectors = np.array([vector for vector, _ in found], dtype=np.float32)
        return ours("agreement.evidence").Party(texts, vectors, [tokens for _, tokens in found])


class Tally:
    """Collects figures of several seeds under one name, and prints their means."""

    def __init__(self) -> None:
        self.rows: dict[tuple, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, key: tuple, **figures: float) -> None:
        """Adds one seed's figures."""
        for name, value in figures.items():
            self.rows[key][name].append(value)

    def auroc_table(self) -> None:
        """Prints one row per scenario and aspect."""
        print(
            "| replaced by | aspect | lex | sem | texts alone | confidence | aim "
            "| share fine: told, true | ECE |"
        )
        print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
        for key, found in self.rows.items():
            mean = {name: np.mean(values) for name, values in found.items()}
            aim = TARGETS.get(key, "")
            print(
                f"| {key[0]} | {key[1]} | {mean['lex']:.3f} | {mean['sem']:.3f} | "
                f"{mean['alone']:.4f} | {mean['ours']:.4f} | {aim} | "
                f"{mean['told']:.3f}, {mean['true']:.3f} | {mean['ece']:.3f} |"
            )

    def fdr_table(self) -> None:
        """Prints, per scenario and aspect, what share of the suspects was in fact fine."""
        print("| replaced by | aspect | " + " | ".join(f"at {rate:g}" for rate in RATES) + " |")
        print("| --- | --- | ---: | ---: | ---: |")
        for key, found in self.rows.items():
            cells = []
            for rate in RATES:
                called, fine = sum(found[f"called {rate}"]), sum(found[f"fine {rate}"])
                cells.append(f"{fine / called:.3f} of {called:.0f}" if called else "none called")
            print(f"| {key[0]} | {key[1]} | " + " | ".join(cells) + " |")


def audit(clips: Clips, scenario: str, sources: np.ndarray, texts: Texts, tally: Tally) -> None:
    """Scores one contaminated dataset and adds how well the replaced ones are found."""
    triangle = ours("agreement.triangle")
    lexical = ours("agreement.lexical").lexical_similarity
    annotations = clips.with_replaced(sources)
    parties = {name: texts.party(column) for name, column in annotations.items()}
    witnesses = {name: texts.party(column) for name, column in clips.opinions.items()}
    weights = ours("agreement.token_weights").TokenWeights(
        tokens.ids
        for party in [*parties.values(), *witnesses.values()]
        for tokens in party.tokens
        if tokens is not None
    )
    pairs = triangle.draw_wrong_pairs(list(parties.values()), clips.groups, clips.spans)
    fine = sources == np.arange(len(clips))
    panels, lex, sem = {}, {}, {}
    for name, party in parties.items():
        found = triangle.calibrate_triangle(
            party, witnesses, pairs, clips.groups, weights, spans=clips.spans
        )
        panels[name] = found.panel
        sides = list(witnesses.values())
        lex[name] = np.mean([lexical(side.texts, party.texts) for side in sides], axis=0)
        sem[name] = np.mean([_cosine(side, party) for side in sides], axis=0)
        _add(tally, (scenario, name), fine, lex[name], sem[name], found.panel)
    if len(panels) > 1:
        fused = triangle.fuse_aspects(
            panels, pairs, annotations, groups=clips.groups, spans=clips.spans
        )
        means = (np.nanmean(list(scores.values()), axis=0) for scores in (lex, sem))
        _add(tally, (scenario, "all aspects"), fine, *means, fused)


def _cosine(a: object, b: object) -> np.ndarray:
    return ours("agreement.semantic").cosine_similarity(a.vectors, b.vectors)


def _add(
    tally: Tally,
    key: tuple,
    fine: np.ndarray,
    lex: np.ndarray,
    sem: np.ndarray,
    found: object,
) -> None:
    reliability, suspects = ours("agreement.reliability"), ours("agreement.fdr").suspects
    known = ~np.isnan(found.match)

    def auroc(scores: np.ndarray) -> float:
        return reliability.area_under_roc(scores[known & fine], scores[known & ~fine])

    figures = {}
    for rate in RATES:
        called = suspects(found.match, rate)
        figures |= {f"called {rate}": called.sum(), f"fine {rate}": (called & fine).sum()}
    tally.add(
        key,
        lex=auroc(lex),
        sem=auroc(sem),
        alone=auroc(found.log_ratio),
        ours=auroc(found.match),
        told=found.match[known].mean(),
        true=fine[known].mean(),
        ece=reliability.calibration_error(found.match[known], fine[known]),
        **figures,
    )


def fine_edits(clips: Clips, texts: Texts, most: int = 400) -> None:
    """Prints how often each score puts a text above its copy with one thing changed."""
    plant = ours("agreement.plant").plant
    support = ours("agreement.support")
    lexical = ours("agreement.lexical").lexical_similarity
    aspect, annotation = next(iter(clips.annotations.items()))
    opinion = next(iter(clips.opinions.values()))
    known = texts.encoder.token_ids([t for t in annotation + opinion if t])
    weights = ours("agreement.token_weights").TokenWeights(known)
    print(f"| one thing changed in {aspect} | of | lex | sem | sup |")
    print("| --- | ---: | ---: | ---: | ---: |")
    wins = defaultdict(list)
    for kind in EDITS:
        planted = plant(annotation, kind)
        rows = np.flatnonzero(planted.changed)[:most]
        heard = texts.party([opinion[i] for i in rows])
        sides = [[annotation[i] for i in rows], [planted.texts[i] for i in rows]]
        scores = defaultdict(list)
        originals = texts.party(sides[0]).tokens
        for party in map(texts.party, sides):
            scores["lex"].append(lexical(party.texts, heard.texts))
            scores["sem"].append(_cosine(party, heard))
            by = [[tokens] for tokens in heard.tokens]
            scores["sup"].append(support.support(party.tokens, by, weights, originals))
        cells = []
        for name, (true, changed) in scores.items():
            wins[name].append(np.mean((true > changed) + 0.5 * (true == changed)))
            cells.append(f"{wins[name][-1]:.3f}")
        print(f"| {kind} | {len(rows)} | " + " | ".join(cells) + " |")
    print(
        "| mean of the kinds | | " + " | ".join(f"{np.mean(v):.3f}" for v in wins.values()) + " |"
    )


def main() -> None:
    """Runs every scenario and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="how often each dataset is drawn")
    options = parser.parse_args()
    began = time.time()
    foo.list_operators()  # loads the plugin
    texts, tally = Texts(), Tally()
    if DATA.is_dir():
        segments, captions = action100m(), coco()
        for seed in range(options.seeds):
            audit(segments, "within", replace_within(segments, seed), texts, tally)
    else:
        print(f"{DATA} is absent, so the texts are made up.\n")
        segments = captions = generated()
    vectors = texts.party(captions.annotations["caption"]).vectors
    for name, replace in (("any other", replace_any), ("near", replace_near(vectors))):
        for seed in range(options.seeds):
            audit(captions, name, replace(captions, seed), texts, tally)
    print(
        f"{segments.name}: {len(segments):,}; {captions.name}: {len(captions):,}; "
        f"encoder {texts.encoder.revision}; {options.seeds} draws of 15%\n"
    )
    tally.auroc_table()
    print("\nShare of suspects that were fine, at a stated rate:\n")
    tally.fdr_table()
    print(f"\nOne thing changed, one opinion ({captions.name}):\n")
    fine_edits(captions, texts)
    print(f"\n{time.time() - began:.0f} s in all")


if __name__ == "__main__":
    main()
