"""Reading letters off pixels."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from demo.language import TITLES, WORDS
from demo.lettering import read_line


def printed(text, size, ink, ground):
    image = Image.new("L", (320, 80), ground)
    ImageDraw.Draw(image).text((20, 20), text, fill=ink, font=ImageFont.load_default(size))
    return np.asarray(image)


@pytest.mark.parametrize(("ink", "ground"), [(40, 220), (235, 45)])
def test_most_titles_are_read_on_light_and_on_dark_ground(ink, ground):
    read = [read_line(printed(title, 30, ink, ground), plate=False) for title in TITLES]
    assert sum(a == b for a, b in zip(read, TITLES)) >= 0.8 * len(TITLES)


def test_most_words_are_read_off_a_plate():
    right = 0
    for word in WORDS:
        image = Image.new("L", (160, 60), 120)
        draw = ImageDraw.Draw(image)
        font = ImageFont.load_default(17)
        left, top, end, bottom = (int(edge) for edge in draw.textbbox((40, 20), word, font=font))
        draw.rectangle((left - 8, top - 6, end + 8, bottom + 6), fill=250, outline=60, width=2)
        draw.text((40, 20), word, fill=40, font=font)
        right += read_line(np.asarray(image), plate=True) == word
    assert right >= 0.7 * len(WORDS)


def test_an_empty_picture_has_no_letters():
    assert read_line(np.full((60, 160), 200), plate=False) is None
    assert read_line(np.full((60, 160), 100), plate=True) is None
