"""What applying would change, in a sentence."""

from __future__ import annotations

from .choices import Choice, crossed
from .proposal import CALIBRATED, SUSPECT, Proposal


def may_apply(proposal: Proposal) -> bool:
    """Whether applying would write other tags than the stored ones."""
    lacking = proposal.stored != CALIBRATED or proposal.bare > 0
    return bool(proposal.changed) or (proposal.rules == CALIBRATED and lacking)


def tell_change(proposal: Proposal, chosen: Choice) -> str:
    """What applying would change, in a sentence."""
    if proposal.rules is None:
        return (
            "No rules can tag by this aspect: the workshop's need lexical and semantic scores of "
            "the witnesses q and m, the calibrated ones a run of calibrate."
        )
    if proposal.rules == CALIBRATED:
        return _tell_suspects(proposal, chosen)
    if crossed(chosen):
        return "These thresholds cross: a meaning cannot be both the same and another."
    if proposal.stored == CALIBRATED and not proposal.changed:
        return (
            "These tags come from calibrated rules. Move a threshold to see what the workshop's "
            "rules would put in their place."
        )
    if not proposal.changed:
        return "These thresholds give the tags that the samples already have."
    return (
        f"Applied, these thresholds would change the tags of {proposal.changed:,} of "
        f"{len(proposal.rows):,} samples. Nothing is written yet."
    )


def _tell_suspects(proposal: Proposal, chosen: Choice) -> str:
    now, then = (proposal.mask(tags, SUSPECT) for tags in (proposal.now, proposal.then))
    many, are = ("label", "is") if then.sum() == 1 else ("labels", "are")
    rate = f"{then.sum():,} {many} of {chosen.aspect} {are} suspect, if {chosen.fdr:.0%} of them "
    rate += "may be fine"
    if proposal.stored != CALIBRATED:
        replaced = " and replaces the workshop's tags" if proposal.stored else ""
        return f"{rate}. Apply tags them, gives each sample a verdict{replaced}."
    more = ""
    if proposal.bare:
        more = f" {proposal.bare:,} samples have no verdict yet, which Apply gives them."
    if not proposal.changed:
        return f"{rate}. So it is stored.{more}"
    return (
        f"{rate}; stored are {now.sum():,}. {(then & ~now).sum():,} would be new, "
        f"{(now & ~then).sum():,} no longer suspect.{more} Nothing is written yet."
    )
