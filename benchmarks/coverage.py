"""How often 95% intervals of the error rate hold the truth, and how many reviews they cost.

    python -m benchmarks.coverage                  # 1,000 audits a row; about 6 minutes
    python -m benchmarks.coverage --audits 100

A population of labels is made, some of them wrong, with a score that knows more or less about
which. Each audit draws its own reviews from it, as the plan would, and estimates the share that
is wrong: once after 200 reviews, and once at the moment where the stopping rule ends it (every
25 reviews it looks whether the interval is within +-2%). Simple random reviews with Wilson's
interval, ended by the same rule, are what it is compared with. Prints tables in Markdown.
"""

from __future__ import annotations

import argparse
import time

import fiftyone.operators as foo
import numpy as np
from scipy.stats import hypergeom

foo.list_operators()  # loads the plugin, so that its rooms can be imported

from fiftyone.plugins.orgs.second_opinion.audit.agreement import (  # noqa: E402
    error_rate,
    sampling,
)

SIZE = 5_000
RATES = (0.01, 0.015, 0.02, 0.03, 0.05, 0.10, 0.20, 0.30)
REVIEWS = 200
STEP = 25
WIDTH = 0.02
LONGEST = 2_500
#: What the score knows: (how sharply it sorts, what it adds to the log-odds, its own noise).
SCORES = {
    "calibrated": (2.0, 0.0, 0.0),
    "too alarmed": (2.0, 1.5, 0.0),
    "too trusting": (2.0, -1.5, 0.0),
    "knows a little": (1.0, 0.0, 0.5),
    "knows nothing": (0.0, 0.0, 1.0),
}


def main() -> None:
    """Runs the simulation and prints its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--audits", type=int, default=1_000, help="simulated audits a row")
    audits = parser.parse_args().audits
    sampling.LONGEST = SIZE  # each audit puts all of a stratum into its own order
    began = time.perf_counter()
    print(f"{audits:,} audits a row, {SIZE:,} labels; +- is half the interval's mean length.\n")
    print(
        f"| score | wrong | covered, {REVIEWS} reviews | +- | +- of simple random reviews |", end=""
    )
    print(f" covered where it stops at +-{WIDTH:.0%} | reviews | simple random reviews |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    covered = []
    simple: dict[float, np.ndarray] = {}
    for name, knows in SCORES.items():
        for rate in RATES:
            random = np.random.default_rng(51)
            plan, wrong = population(random, rate, *knows)
            mean = np.mean([audit(random, plan, wrong) for _ in range(audits)], axis=0)
            if rate not in simple:  # what the score knows makes no difference to them
                plain = sampling.draw_plan(list(wrong), None, seed=51)
                drawn = [audit(random, plain, wrong) for _ in range(audits)]
                simple[rate] = np.mean(drawn, axis=0)
            base = simple[rate]
            covered += [mean[0], mean[2]]
            print(
                f"| {name} | {rate:.1%} | {mean[0]:.1%} | {mean[1]:.1%} | {base[1]:.1%} "
                f"| {mean[2]:.1%} | {mean[3]:,.0f} | {base[3]:,.0f} |",
                flush=True,
            )
    print(
        f"\nCovered: {min(covered):.1%} to {max(covered):.1%}, {np.mean(covered):.1%} on average; "
        f"{time.perf_counter() - began:,.0f} seconds."
    )
    print_exact()
    print_parts(audits)


def print_exact() -> None:
    """The coverage of simple random reviews, counted and not simulated, and what lies nearest.

    An interval follows from the number of errors, so that it holds the truth for some of these
    numbers. No coverage is possible between theirs and that of one number more or less.
    """
    print(f"\n| wrong | held at errors | covered, {REVIEWS} simple random reviews |", end="")
    print(" without the fewest | without the most | with one fewer | with one more |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    (stratum,) = sampling.draw_plan([str(row) for row in range(SIZE)], None).strata
    risks = np.array(stratum.risks[:REVIEWS])
    found = []
    for errors in range(REVIEWS + 1):
        outcome = np.arange(REVIEWS) < errors
        found.append(error_rate.estimate([sampling.Seen(SIZE, stratum.risk, outcome, risks)]))
    for rate in RATES:
        chance = hypergeom(SIZE, round(rate * SIZE), REVIEWS).pmf(np.arange(REVIEWS + 1))
        held = [n for n, one in enumerate(found) if one.low <= rate <= one.high]
        low, high = held[0], held[-1]
        ends = [(low, high), (low + 1, high), (low, high - 1), (low - 1, high), (low, high + 1)]
        shares = [f"{chance[max(a, 0) : b + 1].sum():.1%}" for a, b in ends]
        print(f"| {rate:.1%} | {low} to {high} | " + " | ".join(shares) + " |")


def population(
    random: np.random.Generator, rate: float, sharpness: float, shift: float, noise: float
) -> tuple[sampling.Plan, dict[str, bool]]:
    """Labels of which the share ``rate`` is wrong, and a plan cut by what the score says."""
    leaning = sharpness * random.normal(size=SIZE)
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if odds(middle + leaning).mean() < rate else (low, middle)
    # exactly so many wrong ones, drawn with the odds that their leaning gives
    key = leaning + low + random.logistic(size=SIZE)
    wrong = np.zeros(SIZE, dtype=bool)
    wrong[np.argsort(-key)[: round(rate * SIZE)]] = True
    risk = odds(low + leaning + shift + noise * random.normal(size=SIZE))
    ids = [str(row) for row in range(SIZE)]
    return sampling.draw_plan(ids, list(1 - risk)), dict(zip(ids, wrong))


def odds(x: np.ndarray) -> np.ndarray:
    """The probability with these log-odds."""
    return 1 / (1 + np.exp(-x))


def audit(
    random: np.random.Generator, plan: sampling.Plan, wrong: dict[str, bool]
) -> tuple[float, float, float, float]:
    """One audit: (covered, half width) after so many reviews, (covered, reviews) at the stop."""
    truth = float(np.mean(list(wrong.values())))
    outcomes, risks = [], []
    for stratum in plan.strata:
        order = random.permutation(len(stratum.ids))
        outcomes.append(np.array([wrong[stratum.ids[i]] for i in order[:LONGEST]]))
        risks.append(np.array(stratum.risks)[order[:LONGEST]])
    sizes, shares = [len(stratum.ids) for stratum in plan.strata], plan.shares
    counts = [0] * len(sizes)
    fixed = stopped = None
    while fixed is None or stopped is None:
        counts = sampling.take_turns(counts, sizes, shares, STEP)
        seen = [
            sampling.Seen(stratum.size, stratum.risk, w[:n], r[:n])
            for stratum, w, r, n in zip(plan.strata, outcomes, risks, counts)
        ]
        found = error_rate.estimate(seen)
        if sum(counts) == REVIEWS:
            fixed = (found.low <= truth <= found.high, found.half_width)
        done = error_rate.may_stop(found, WIDTH) or sum(counts) >= LONGEST
        if stopped is None and done:
            stopped = (found.low <= truth <= found.high, sum(counts))
    return *fixed, *stopped


def print_parts(audits: int) -> None:
    """How often the interval of a part (a verdict, say) holds the part's own truth."""
    print(f"\n| part of the labels | wrong in it | covered, {REVIEWS} reviews of all |")
    print("| --- | ---: | ---: |")
    for rate in (0.05, 0.15, 0.30):
        random = np.random.default_rng(51)
        plan, wrong = population(random, rate, *SCORES["calibrated"])
        for name, share in (("a random half", 0.5), ("a random fifth", 0.2)):
            part = {label for label in wrong if random.random() < share}
            truth, hits = np.mean([wrong[label] for label in part]), []
            for _ in range(audits):
                hits.append(part_covered(random, plan, wrong, part, truth))
            print(f"| {name} | {truth:.1%} | {np.mean(hits):.1%} |")


def part_covered(
    random: np.random.Generator,
    plan: sampling.Plan,
    wrong: dict[str, bool],
    part: set[str],
    truth: float,
) -> bool:
    """Whether one audit's interval of the part holds the truth."""
    sizes = [len(stratum.ids) for stratum in plan.strata]
    counts = sampling.take_turns([0] * len(sizes), sizes, plan.shares, REVIEWS)
    seen = []
    for stratum, n in zip(plan.strata, counts):
        rows = random.choice(len(stratum.ids), n, replace=False)
        ids = tuple(stratum.ids[row] for row in rows)
        outcome = np.array([wrong[label] for label in ids])
        risks = np.array(stratum.risks)[rows]
        seen.append(sampling.Seen(stratum.size, stratum.risk, outcome, risks, ids))
    found, _ = error_rate.estimate_part(seen, part)
    return found.low <= truth <= found.high


if __name__ == "__main__":
    main()
