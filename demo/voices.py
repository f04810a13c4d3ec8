"""Three ways to say the same thing: the annotator's, and each witness's.

A template is filled with `{A}` and `{B}` (who), `{side}`, `{far}` (the opposite
side), `{word}` and `{colour}`; the short fields in braces bend the verb:
`glide{s}`, `push{es}`, `{its}`, `{itself}`.
"""

from __future__ import annotations

from dataclasses import dataclass

from demo.language import COLOURS, SHAPES

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Voice:
    """How somebody speaks of what happens in a clip.

    Attributes:
        colours: ``{colour: word}``
        shapes: ``{shape: (one, many)}``
        sides: ``{side: words that follow "from" or "to"}``
        backdrops: ``{what the reading calls the backdrop: words}``
        actions: ``{action: templates of what the actor does}``
        openings: templates that begin a detailed summary, with ``{backdrop}``
        links: what stands between two sentences
        endings: what ends a detailed summary
        titled: templates of a sentence for a title card, with ``{title}``
        nobody: a template for a clip in which nobody acts
        command: the verb that makes somebody do something
        numbers: words for how many
    """

    colours: dict[str, str]
    shapes: dict[str, tuple[str, str]]
    sides: dict[str, str]
    backdrops: dict[str, str]
    actions: dict[str, tuple[str, ...]]
    openings: tuple[str, ...]
    links: tuple[str, ...]
    endings: tuple[str, ...]
    titled: tuple[str, ...]
    nobody: str
    command: str
    numbers: tuple[str, ...] = _NUMBERS


def _words(names: tuple[str, ...] | list[str], words: str) -> dict[str, str]:
    return dict(zip(names, words.split(), strict=True))


def _both(words: str) -> dict[str, tuple[str, str]]:
    pairs = [pair.replace("_", " ").split("/") for pair in words.split()]
    return {shape: (pair[0], pair[1]) for shape, pair in zip(SHAPES, pairs, strict=True)}


ANNOTATOR = Voice(
    colours=_words(list(COLOURS), "red orange yellow green teal blue purple pink"),
    shapes=_both(
        "circle/circles square/squares triangle/triangles star/stars heart/hearts "
        "crescent_moon/crescent_moons cross/crosses ring/rings diamond/diamonds arrow/arrows"
    ),
    sides={
        "left": "the left side",
        "right": "the right side",
        "top": "the top",
        "bottom": "the bottom",
    },
    backdrops={
        "sky": "a pale blue-grey backdrop",
        "sand": "a sand-coloured backdrop",
        "mint": "a soft mint-green backdrop",
        "lavender": "a pale lavender backdrop",
        "paper": "an off-white, paper-like backdrop",
        "dusk": "a dusky grey backdrop",
        "midnight": "a midnight-blue backdrop",
        "graphite": "a dark graphite backdrop",
    },
    actions={
        "enter": (
            "glide{s} into view from {side}",
            "come{s} in from {side} and settle{s} on the screen",
        ),
        "leave": ("glide{s} out of the frame through {side}", "exit{s} towards {side}"),
        "cross": (
            "travel{s} across the whole screen from {side} to {far}",
            "pass{es} through the frame, entering from {side} and exiting on {far}",
        ),
        "rise": ("rise{s} towards the upper part of the frame", "float{s} upward"),
        "sink": ("sink{s} towards the lower part of the frame", "drift{s} downward"),
        "slide": ("slide{s} across to {side}", "move{s} sideways towards {side}"),
        "bounce": ("bounce{s} up and down three times", "hop{s} repeatedly on the spot"),
        "spin": ("spin{s} in a full turn", "rotate{s} once around {its} centre"),
        "grow": ("grow{s} noticeably larger", "swell{s} to a bigger size"),
        "shrink": ("shrink{s} to a smaller size", "get{s} visibly smaller"),
        "blink": ("blink{s} on and off several times", "flash{es} on and off"),
        "appear": ("fade{s} in and become{s} visible", "appear{s} out of nowhere"),
        "vanish": ("fade{s} away and vanish{es}", "disappear{s} completely"),
        "multiply": ("appear{s} one after another", "pop{s} up one by one until all are shown"),
        "recolour": ("change{s} colour and turn{s} {colour}", "turn{s} from {own} to {colour}"),
        "show": (
            "hold{s} up a sign that reads “{word}”",
            "display{s} a small sign with the word “{word}”",
        ),
        "meet": (
            "move{s} together with {B} until the two touch",
            "meet{s} {B} in the frame, so that they stand side by side",
        ),
        "part": ("separate{s} from {B} as both drift apart", "move{s} away from {B}"),
        "chase": (
            "chase{s} {B} across the screen from {side} to {far}",
            "follow{s} {B} through the frame, both heading for {far}",
        ),
        "orbit": ("circle{s} once around {B}", "travel{s} in a loop around {B}"),
    },
    openings=(
        "The clip opens on {backdrop}.",
        "The segment is set against {backdrop}.",
        "The video shows an animation on {backdrop}.",
    ),
    links=("Then ", "Next, ", "After that, ", "Afterwards, "),
    endings=("", "", "The segment ends on this view."),
    titled=(
        "A title card with the words “{title}” is shown.",
        "The words “{title}” appear on the screen as a title card.",
    ),
    nobody="Title cards appear on {backdrop}, and no shape or character is seen.",
    command="have",
)

WITNESS_Q = Voice(
    colours=_words(list(COLOURS), "red orange yellow green turquoise blue violet pink"),
    shapes=_both(
        "ball/balls square_block/square_blocks triangle/triangles star/stars heart/hearts "
        "half-moon/half-moons plus_sign/plus_signs hoop/hoops rhombus/rhombi arrow/arrows"
    ),
    sides={
        "left": "the left",
        "right": "the right",
        "top": "above",
        "bottom": "below",
    },
    backdrops={"light": "a light background", "dark": "a dark background"},
    actions={
        "enter": ("slide{s} in from {side}", "move{s} into the picture from {side}"),
        "leave": ("slide{s} off to {side}", "move{s} out of the picture to {side}"),
        "cross": ("move{s} all the way from {side} to {far}", "cross{es} the picture from {side}"),
        "rise": ("move{s} up", "go{es} upwards"),
        "sink": ("move{s} down", "go{es} downwards"),
        "slide": ("move{s} horizontally to {side}", "shift{s} to {side}"),
        "bounce": ("jump{s} up and down", "bounce{s} a few times"),
        "spin": ("rotate{s} in place", "turn{s} around {itself}"),
        "grow": ("become{s} larger", "increase{s} in size"),
        "shrink": ("become{s} smaller", "decrease{s} in size"),
        "blink": ("flicker{s}", "keep{s} disappearing and reappearing"),
        "appear": ("show{s} up", "become{s} visible in the picture"),
        "vanish": ("disappear{s}", "fade{s} out"),
        "multiply": ("show{s} up one at a time", "become{s} visible one by one"),
        "recolour": ("change{s} from {own} to {colour}", "become{s} {colour}"),
        "show": (
            "carr{ies} a white label saying “{word}”",
            "get{s} a sign with the text “{word}”",
        ),
        "meet": ("come{s} together with {B}", "move{s} next to {B} until they are touching"),
        "part": ("move{s} apart from {B}", "split{s} up with {B}"),
        "chase": ("run{s} after {B} from {side} to {far}", "move{s} behind {B} across the picture"),
        "orbit": ("move{s} in a circle around {B}", "go{es} round {B}"),
    },
    openings=(
        "The video shows simple graphics on {backdrop}.",
        "In this video there is {backdrop}.",
        "We see {backdrop}.",
    ),
    links=("After this, ", "Then ", "Next ", "A moment later "),
    endings=("", "", "Then the video is over."),
    titled=("The text “{title}” is displayed.", "There is a card that says “{title}”."),
    nobody="Only text is displayed on {backdrop}; no object moves.",
    command="make",
)

WITNESS_M = Voice(
    colours=_words(list(COLOURS), "crimson orange golden green cyan blue purple magenta"),
    shapes=_both(
        "disc/discs square/squares triangular_shape/triangular_shapes star_shape/star_shapes "
        "heart_symbol/heart_symbols moon/moons cross/crosses round_band/round_bands "
        "diamond/diamonds arrow_symbol/arrow_symbols"
    ),
    sides={
        "left": "the left-hand edge",
        "right": "the right-hand edge",
        "top": "the upper edge",
        "bottom": "the lower edge",
    },
    backdrops={"light": "a bright plain background", "dark": "a dim plain background"},
    actions={
        "enter": ("arrive{s} by way of {side}", "move{s} onto the screen from {side}"),
        "leave": ("depart{s} past {side}", "float{s} away beyond {side}"),
        "cross": ("sweep{s} from {side} over to {far}", "fl{ies} by, from {side} to {far}"),
        "rise": ("climb{s} higher", "ascend{s}"),
        "sink": ("drop{s} lower", "descend{s}"),
        "slide": ("drift{s} over towards {side}", "glide{s} towards {side}"),
        "bounce": ("bob{s} up and down", "hop{s} about"),
        "spin": ("twirl{s} around", "rotate{s} on the spot"),
        "grow": ("expand{s}", "get{s} bigger"),
        "shrink": ("contract{s}", "dwindle{s}"),
        "blink": ("blink{s} in and out of sight", "pulse{s} on and off"),
        "appear": ("materialise{s}", "come{s} into view"),
        "vanish": ("dissolve{s} from sight", "melt{s} away"),
        "multiply": ("pop{s} up in succession", "turn{s} up one by one"),
        "recolour": ("take{s} on a {colour} hue", "switch{es} colour to {colour}"),
        "show": ("carr{ies} a placard with lettering", "present{s} a little sign with writing"),
        "meet": ("approach{es} {B} and join{s} it", "join{s} up with {B}"),
        "part": ("withdraw{s} from {B}", "drift{s} apart from {B}"),
        "chase": ("pursue{s} {B} towards {far}", "follow{s} {B} towards {far}"),
        "orbit": ("loop{s} round {B}", "revolve{s} about {B}"),
    },
    openings=(
        "A graphic animation plays over {backdrop}.",
        "On {backdrop}, geometric figures are animated.",
        "{backdrop} fills the screen.",
    ),
    links=("Following that, ", "Subsequently, ", "Later, ", "Soon "),
    endings=("", "", "Nothing more can be observed."),
    titled=("A caption card with lettering is visible.", "Some large lettering is visible."),
    nobody="Large lettering stands on {backdrop}, without any figures in motion.",
    command="let",
    numbers=("no", "a single", "a pair of", "a trio of", "four", "five", "six", "7", "8", "9"),
)
