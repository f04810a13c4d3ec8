"""The pencil: silhouettes, signs and backgrounds, anti-aliased."""

from __future__ import annotations

import colorsys
import math
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from demo.language import COLOURS, HEIGHT, WIDTH, Actor, Scene
from demo.motion import Pose, poses_at, title_at

_MASTER = 256  # the side of the picture each silhouette is shrunk from
_REACH = 1.25  # a stamp reaches this many radii from its middle
_OUTLINE = 0.88  # the lit inside is this much smaller than the silhouette

#: ``{setting: (the colour at the top, the colour at the bottom)}``, in RGB
_SETTINGS = {
    "sky": ((196, 214, 228), (222, 228, 226)),
    "sand": ((224, 214, 194), (208, 194, 172)),
    "mint": ((204, 222, 208), (184, 206, 196)),
    "lavender": ((214, 208, 226), (196, 190, 212)),
    "paper": ((226, 224, 216), (212, 208, 202)),
    "dusk": ((92, 96, 116), (128, 118, 122)),
    "midnight": ((30, 34, 54), (46, 50, 70)),
    "graphite": ((52, 54, 58), (76, 78, 80)),
}


def outline(shape: str) -> list[tuple[float, float]]:
    """The corners of a silhouette that fits a circle of radius 1, y downwards."""
    if shape == "heart":
        turns = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        x = 16 * np.sin(turns) ** 3
        waves = ((13, 1), (-5, 2), (-2, 3), (-1, 4))
        y = -sum(height * np.cos(order * turns) for height, order in waves)
        return list(zip(x / 16.5, (y - 2.5) / 16.5, strict=True))
    if shape == "star":
        return [_polar(1.0 if i % 2 == 0 else 0.45, 36 * i - 90) for i in range(10)]
    corners = {
        "square": [(-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)],
        "triangle": [(0, -0.95), (0.95, 0.75), (-0.95, 0.75)],
        "diamond": [(0, -1), (0.68, 0), (0, 1), (-0.68, 0)],
        "arrow": [(-1, -0.3), (0.1, -0.3), (0.1, -0.8), (1, 0), (0.1, 0.8), (0.1, 0.3), (-1, 0.3)],
    }
    arm = 0.33
    corners["cross"] = [
        *((-arm, -1), (arm, -1), (arm, -arm), (1, -arm), (1, arm), (arm, arm)),
        *((arm, 1), (-arm, 1), (-arm, arm), (-1, arm), (-1, -arm), (-arm, -arm)),
    ]
    return corners[shape]


def _polar(radius: float, degrees: float) -> tuple[float, float]:
    turn = math.radians(degrees)
    return radius * math.cos(turn), radius * math.sin(turn)


@lru_cache(maxsize=64)
def silhouette(shape: str, size: float = 1.0) -> Image.Image:
    """A shape's mask, 256 pixels square, its radius 1/2.5 of the side times ``size``."""
    side = _MASTER * 2
    unit = side / 2 / _REACH * size
    image = Image.new("L", (side, side))
    draw = ImageDraw.Draw(image)

    def disc(x: float, radius: float, ink: int) -> None:
        middle, reach = side / 2 + x * unit, radius * unit
        draw.ellipse((middle - reach, side / 2 - reach, middle + reach, side / 2 + reach), ink)

    if shape in ("circle", "ring", "crescent"):
        disc(0, 0.95, 255)
        if shape == "ring":
            disc(0, 0.5 / size**2, 0)
        if shape == "crescent":
            disc(0.45, 0.75 / size**2, 0)
    else:
        draw.polygon([(side / 2 + x * unit, side / 2 + y * unit) for x, y in outline(shape)], 255)
    return image.resize((_MASTER, _MASTER), Image.Resampling.LANCZOS)


@lru_cache(maxsize=64)
def _shadow(shape: str) -> Image.Image:
    return silhouette(shape).filter(ImageFilter.GaussianBlur(10))


def colour_of(actor: Actor, pose: Pose) -> np.ndarray:
    """An actor's colour now, in RGB, 0 to 255."""
    ends = [pose.colour, pose.next_colour or pose.colour]
    paints = [_paint(COLOURS[name] + actor.hue_shift) for name in ends]
    return paints[0] * (1 - pose.blend) + paints[1] * pose.blend


def _paint(hue: float) -> np.ndarray:
    red, green, blue = colorsys.hls_to_rgb(hue % 360 / 360, 0.5, 0.7)
    return np.array([red, green, blue], np.float32) * 255


@lru_cache(maxsize=4)
def background(setting: str, pattern: str) -> np.ndarray:
    """A soft gradient with a faint pattern, ``(height, width, 3)`` floats, 0 to 255."""
    top, bottom = (np.array(colour, float) for colour in _SETTINGS[setting])
    down = np.linspace(0, 1, HEIGHT)[:, None, None]
    image = np.broadcast_to(top * (1 - down) + bottom * down, (HEIGHT, WIDTH, 3)).copy()
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    marks = {
        "plain": np.zeros((HEIGHT, WIDTH), bool),
        "grid": (x % 32 == 16) | (y % 32 == 8),
        "dots": (x % 24 - 12) ** 2 + (y % 24 - 12) ** 2 < 4,
        "stripes": (x + y) % 40 < 20,
    }[pattern]
    image[marks] += 7 if top.mean() < 128 else -7
    edge = ((x / WIDTH - 0.5) ** 2 + (y / HEIGHT - 0.5) ** 2)[..., None]
    return (image - 14 * edge).astype(np.float32)


def draw_frame(scene: Scene, time: float) -> np.ndarray:
    """Draws one frame, ``(240, 320, 3)`` bytes, ``time`` seconds into the story."""
    canvas = background(scene.setting, scene.pattern).copy()
    for actor, pose in zip(scene.cast, poses_at(scene, time), strict=True):
        if pose.alpha > 0:
            _draw_actor(canvas, actor, pose)
    canvas *= np.array(scene.tint, np.float32)
    title = title_at(scene, time)
    if title:
        dark = canvas.mean() < 128
        _write(canvas, title[0], (WIDTH / 2, HEIGHT / 2), 30, 238 if dark else 44, title[1])
    return np.clip(canvas, 0, 255).astype(np.uint8)


def _draw_actor(canvas: np.ndarray, actor: Actor, pose: Pose) -> None:
    radius = actor.radius * pose.scale
    paint = colour_of(actor, pose)
    for index, (across, down) in enumerate(actor.places()):
        alpha = pose.alpha * min(max(pose.members - index, 0.0), 1.0)
        if alpha > 0:
            x, y = pose.x + across * pose.scale, pose.y + down * pose.scale
            _draw_shape(canvas, actor.shape, (x, y, radius, pose.angle), paint, alpha)
    if pose.word and pose.sign > 0 and pose.alpha > 0:
        _draw_sign(canvas, pose, radius)


def _draw_shape(
    canvas: np.ndarray,
    shape: str,
    where: tuple[float, float, float, float],
    paint: np.ndarray,
    alpha: float,
) -> None:
    x, y, radius, angle = where
    shadow = x + radius * 0.07, y + radius * 0.13
    _blend(canvas, _shadow(shape), (*shadow, radius, angle), np.zeros(3), alpha * 0.3)
    _blend(canvas, silhouette(shape), where, paint * 0.72, alpha)
    _blend(canvas, silhouette(shape, _OUTLINE), where, paint, alpha, lit=True)


def _blend(
    canvas: np.ndarray,
    master: Image.Image,
    where: tuple[float, float, float, float],
    paint: np.ndarray,
    alpha: float,
    lit: bool = False,
) -> None:
    x, y, radius, angle = where
    reach = radius * _REACH
    left, top = math.floor(x - reach), math.floor(y - reach)
    side = math.ceil(2 * reach) + 1
    first_x, first_y = max(left, 0), max(top, 0)
    last_x, last_y = min(left + side, WIDTH), min(top + side, HEIGHT)
    if first_x >= last_x or first_y >= last_y:
        return
    if angle % 360:
        master = master.rotate(-angle, Image.Resampling.BILINEAR)
    mask = _shrunk(master, 2 * reach, (x - reach - left, y - reach - top), side)
    mask = mask[first_y - top : last_y - top, first_x - left : last_x - left] * alpha
    ink = paint
    if lit:
        light = 1.14 - 0.3 * (np.arange(first_y, last_y, dtype=np.float32) - top) / side
        ink = np.clip(paint * light[:, None, None], 0, 255)
    part = canvas[first_y:last_y, first_x:last_x]
    part += mask[..., None] * (ink - part)


def _shrunk(master: Image.Image, size: float, offset: tuple[float, float], side: int) -> np.ndarray:
    zoom = _MASTER / size
    # a halo of empty pixels lets the picture start at a fraction of a pixel
    box = [-offset[0] * zoom, -offset[1] * zoom]
    box += [box[0] + side * zoom, box[1] + side * zoom]
    halo = math.ceil(2 * zoom)
    padded = Image.new("L", (_MASTER + 2 * halo, _MASTER + 2 * halo))
    padded.paste(master, (halo, halo))
    shifted = tuple(edge + halo for edge in box)
    small = padded.resize((side, side), Image.Resampling.BOX, box=shifted)
    return np.asarray(small, np.float32) / 255


def _draw_sign(canvas: np.ndarray, pose: Pose, radius: float) -> None:
    word = _word(pose.word, 17)
    high, wide = word.shape[0] + 8, word.shape[1] + 12
    left = round(min(max(pose.x - wide / 2, 2), WIDTH - wide - 2))
    top = round(min(pose.y + radius + 4, HEIGHT - high - 2))
    if left < 0 or top < 0 or pose.x < -radius or pose.x > WIDTH + radius or pose.y < -radius:
        return
    plate = np.full((high, wide), 250.0)
    plate[:2] = plate[-2:] = 60
    plate[:, :2] = plate[:, -2:] = 60
    plate[4:-4, 6:-6] -= word * 215
    part = canvas[top : top + high, left : left + wide]
    part += pose.sign * pose.alpha * (plate[..., None] - part)


def _write(
    canvas: np.ndarray, text: str, middle: tuple[float, float], size: int, ink: int, alpha: float
) -> None:
    word = _word(text, size)
    top, left = (round(middle[1] - word.shape[0] / 2), round(middle[0] - word.shape[1] / 2))
    part = canvas[top : top + word.shape[0], left : left + word.shape[1]]
    part += alpha * word[..., None] * (ink - part)
    rule = canvas[top + word.shape[0] + 12 : top + word.shape[0] + 14, left : left + word.shape[1]]
    rule += alpha * 0.6 * (ink - rule)


@lru_cache(maxsize=256)
def _word(text: str, size: int) -> np.ndarray:
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("L", (int(right - left) + 1, int(bottom - top) + 1))
    ImageDraw.Draw(image).text((-left, -top), text, fill=255, font=font)
    return np.asarray(image, np.float32) / 255
