"""A row of Action100M in the published schema, rows with changes, and a film to go with them."""

from __future__ import annotations

import copy
import json

import av
import fiftyone as fo
import numpy as np
from fiftyone.plugins.orgs.second_opinion.audit.operators.import_action100m import (
    ImportAction100M,
)


def gpt(word, action=True):
    """The five annotations of a segment, which all contain a word."""
    return {
        "summary": {"brief": f"A cook {word}s.", "detailed": f"A cook {word}s with a knife."},
        "action": {
            "brief": word if action else "N/A",
            "detailed": f"{word} with a knife" if action else "N/A",
            "actor": "a cook" if action else "N/A",
        },
    }


def node(node_id, parent, level, start, end, **more):
    texts = {"plm_action": None, "plm_caption": None, "llama3_caption": None, "gpt": None}
    place = {"node_id": node_id, "parent_id": parent, "level": level, "start": start, "end": end}
    return {**place, **texts, **more}


ROW = {
    "video_uid": "-a_Video_1",
    "metadata": {
        "title": "How to cook",
        "description": "A video\nabout cooking",
        "view_count": 12,
        "like_count": 3,
        "duration": 120,
        "upload_date": "20110519",
        "transcript": [
            {"time": "1.5", "text": "hello"},
            {"time": "4.0", "text": "and welcome"},
            {"time": "95.0", "text": "goodbye"},
        ],
    },
    "nodes": [
        node("r", None, 0, 0.0, 120.0, plm_caption="A kitchen.", gpt=gpt("chop")),
        node("m", "r", 1, 0.0, 90.5, plm_action="chop", gpt=gpt("slice")),
        node("n", "r", 1, 100.0, 120.0, plm_action="wave", gpt=gpt("wave", action=False)),
        node("l", "m", 2, 2.0, 3.0, llama3_caption="A hand."),
    ],
}


def row(uid="-a_Video_1", **changes):
    """The row with other values: nodes by id, or whole parts of it."""
    made = copy.deepcopy(ROW)
    made["video_uid"] = uid
    for name, change in changes.items():
        if name in ("metadata", "nodes", "video_uid"):
            made[name] = change
        else:
            next(n for n in made["nodes"] if n["node_id"] == name).update(change)
    return made


def write_video(path, seconds=6, rate=10):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height = 64, 48
        for i in range(seconds * rate):
            picture = np.full((48, 64, 3), i % 255, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())


def run(**settings):
    """Imports; gives the dataset and the report, which JSON must be able to hold."""
    report = ImportAction100M()(None, **settings)
    assert json.loads(json.dumps(report)) == report
    return fo.load_dataset(settings["name"]), report


def counts(report, table="problems"):
    """The problems of a report, or its remarks: ``{name: count}``."""
    return {line["problem"]: line["count"] for line in report[table]}


def labels(sample, field):
    """The texts of a field of segments."""
    return [detection.label for detection in sample[field].detections]
