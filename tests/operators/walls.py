"""Films of one colour each, and texts about them of which some are wrong."""

import av
import fiftyone as fo
import numpy as np

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 200, 40),
    "blue": (30, 40, 220),
    "white": (240, 240, 240),
    "yellow": (230, 220, 30),
    "pink": (240, 120, 200),
}
NAMES = list(COLOURS)
CLIPS = 48
WRONG = range(0, CLIPS, 5)  # whose annotation is wrong
ASPECT = {"name": "cap", "annotation": "gt", "opinions": {"a": "said_a", "b": "said_b"}}
FRAMES = {"fps": 6.0, "max_frames": 8, "max_pixels": 64 * 64}


def tell(colour):
    return f"A {colour} wall fills the picture. Then the {colour} wall stays where it is."


def write(folder):
    """Films of eight frames, each of one colour."""
    paths = []
    for i in range(CLIPS):
        paths.append(str(folder / f"{i:02}.mp4"))
        with av.open(paths[-1], "w") as container:
            stream = container.add_stream("libx264", rate=6)
            stream.width = stream.height = 64
            stream.pix_fmt = "yuv420p"
            picture = np.full((64, 64, 3), COLOURS[NAMES[i % 6]], np.uint8)
            for _ in range(8):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return paths


def add_disputes(dataset, paths):
    """The films, a fifth of their annotations wrong, and two witnesses, of whom b errs once."""
    samples = []
    for i, path in enumerate(paths):
        true, other = NAMES[i % 6], NAMES[(i + 1) % 6]
        texts = {"gt": tell(other if i in WRONG else true), "said_a": f"The wall is {true}."}
        texts["said_b"] = f"We see a {other if i == 3 else true} wall."
        verdict = "annotation_suspect" if i in WRONG or i == 3 else "agreed"
        samples.append(fo.Sample(filepath=path, place=i, verdict=verdict, **texts))
    dataset.add_samples(samples)
    return dataset


def add_segments(dataset, paths):
    """The films in two segments each, and a fifth of the second ones annotated wrongly."""
    for i, path in enumerate(paths):
        true, other = NAMES[i % 6], NAMES[(i + 1) % 6]
        parts = []
        for k, support in enumerate(([1, 4], [5, 8])):
            text = tell(other if i in WRONG and k else true)
            said = {"said_a": f"The wall is {true}.", "said_b": f"We see a {true} wall."}
            part = fo.TemporalDetection(label=text, support=support, **said)
            parts.append(part)
        dataset.add_sample(fo.Sample(filepath=path, gt=fo.TemporalDetections(detections=parts)))
    dataset.add_dynamic_sample_fields()
    return dataset


def by_place(dataset, field):
    return dict(zip(*dataset.values(["place", field])))
