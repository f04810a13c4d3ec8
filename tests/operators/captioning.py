"""Answers of a witness, and what it was shown, for the tests of captions."""

import base64
import io

import numpy as np
from PIL import Image

FRAMES = {"fps": 5.0, "max_frames": 4, "max_pixels": 96 * 64, "batch_size": 3}
ANSWER = {
    "summary": {"brief": "Bars move.", "detailed": "Black and white bars move."},
    "action": {"brief": "move bars", "detailed": "The bars move slowly.", "actor": "N/A"},
}
FULL = {
    "summary": "Bars.",
    "objects": [{"name": "bar", "first_appears": 0, "last_appears": 0.3}],
    "events": [{"start": 0.0, "end": 0.2, "description": "shine"}, {"start": 9, "end": 10}],
    "text_content": [],
    "scene_info": {"setting": "screen", "time_of_day": "N/A", "location_type": "indoors"},
    "activities": {"primary_activity": "moving", "secondary_activities": ["shining"]},
}


def numbers_sent(films, body):
    """The numbers of the frames in a request's pictures."""
    parts = body["messages"][0]["content"]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    pictures = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))) for url in urls
    ]
    return [films.number_in(picture) for picture in pictures]
