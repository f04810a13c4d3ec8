"""Texts against clips in one space, corrected for texts and clips that are near everything."""

from __future__ import annotations

import numpy as np

from .hubness import corrected, mean_of_nearest, nearest


def corrected_similarity(
    texts: np.ndarray, clips: np.ndarray, owner: np.ndarray, other: np.ndarray, k: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """How near each text is to its own clip and to another one, against what is usual for both.

    ``2 s - l - r`` (CSLS, see ``hubness``): ``l`` is what the clip reaches with its nearest
    texts of other clips, ``r`` what the text reaches with its nearest other clips.

    Args:
        texts: ``(n, d)`` unit vectors
        clips: ``(m, d)`` unit vectors
        owner: ``(n,)`` the clip that each text is of
        other: ``(m,)`` for each clip another one, a wrong video for its texts; -1 for none
        k: how many neighbours to average

    Returns:
        ``n`` floats on the own clips, and ``n`` on the wrong ones, nan where there is none
    """
    wrong = other[owner]
    near_clips = nearest(texts, clips, k + 2)
    excluded = np.stack([owner, wrong], axis=1)
    of_text = mean_of_nearest(near_clips.similarity, near_clips.index, excluded, k)
    spare = int(np.bincount(owner).max()) if len(owner) else 0
    near_texts = nearest(clips, texts, k + 2 * spare)
    owners = np.where(near_texts.index >= 0, owner[near_texts.index], -1)

    def against(clip: np.ndarray) -> np.ndarray:
        found = np.full(len(texts), np.nan)
        rows = np.flatnonzero(clip >= 0)
        chosen = clip[rows]
        # the texts of neither clip tell what is usual
        excluded = np.stack([owner[rows], chosen], axis=1)
        of_clip = mean_of_nearest(near_texts.similarity[chosen], owners[chosen], excluded, k)
        cosines = np.einsum("nd,nd->n", texts[rows], clips[chosen])
        found[rows] = corrected(cosines, np.nan_to_num(of_clip), np.nan_to_num(of_text[rows]))
        return found

    return against(owner), against(wrong)
