"""The fields of an imported Action100M dataset, under the workshop's names."""

from __future__ import annotations

import fiftyone as fo

_LABELS = {
    "gpt_summary_brief": "One sentence about each segment",
    "gpt_summary_detailed": "A detailed description of each segment",
    "gpt_action_brief": "The action of each segment, a verb phrase",
    "gpt_action_detailed": "The action of each segment, an instruction",
    "gpt_action_actor": "Who acts in each segment",
    "plm_caption": "PLM-3B's caption of each segment, a witness of its own",
    "plm_action": "PLM-3B's action of each segment, a witness of its own",
    "llama3_caption": "Llama 3.2 Vision's caption of each leaf's middle frame",
    "transcript_segments": "What is said, with its times",
}
_PLAIN = {
    "video_uid": (fo.StringField, "The YouTube id"),
    "title": (fo.StringField, "The video's title"),
    "description": (fo.StringField, "The video's description"),
    "full_video_url": (fo.StringField, "Where the whole video is"),
    "upload_date": (fo.DateTimeField, "When the video was published"),
    "view_count": (fo.IntField, "Views"),
    "like_count": (fo.IntField, "Likes"),
    "full_video_duration": (fo.FloatField, "Seconds that the whole video lasts"),
    "transcript": (fo.StringField, "What is said within the clip"),
    "tree_depth": (fo.IntField, "The deepest level of the tree of captions"),
    "clip_coverage": (fo.FloatField, "The share of the annotated video that the clip shows, 0..1"),
}
_ATTRIBUTES = {
    "node_id": fo.StringField,
    "parent_id": fo.StringField,
    "level": fo.IntField,
    "tier": fo.StringField,
    "start": fo.FloatField,
    "end": fo.FloatField,
    "outside_clip": fo.BooleanField,
}


def declare_fields(dataset: fo.Dataset) -> None:
    """Makes every field, so that those without a value exist too."""
    for name, (ftype, description) in _PLAIN.items():
        dataset.add_sample_field(name, ftype, description=description)
    dataset.add_sample_field(
        "import_problems",
        fo.ListField,
        subfield=fo.StringField,
        description="What is wrong with the tree or the video, by name",
    )
    for name, description in _LABELS.items():
        timed = ("start", "end") if name == "transcript_segments" else _ATTRIBUTES
        # All attributes at once: a call for each would take twenty seconds.
        attributes = [_named(_ATTRIBUTES[attribute](), attribute) for attribute in timed]
        segments = fo.ListField(fo.EmbeddedDocumentField(fo.TemporalDetection, fields=attributes))
        dataset.add_sample_field(
            name,
            fo.EmbeddedDocumentField,
            embedded_doc_type=fo.TemporalDetections,
            description=description,
            fields=[_named(segments, "detections")],
        )


def _named(made: fo.Field, name: str) -> fo.Field:
    made.name = name
    return made
