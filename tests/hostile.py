"""Texts that would act, hide or break a file if anything took them for more than text."""

MEGABYTE = 2**20

#: What each would do is in its name; those that can act set ``window.acted``.
CORPUS = {
    "script": "<script>window.acted = 1</script><img src=x onerror='window.acted = 2'>",
    "closing": "</span></details></div></body><svg onload=window.acted=3>",
    "link": "[a girl](javascript:window.acted=4) <a href='javascript:window.acted=5'>a box</a>",
    "frame": "<iframe src='https://example.com'></iframe> ![x](https://example.com/pixel.png)",
    "style": "<style>*{display:none}</style>",
    "markdown": "# heading\n\n* **bold** _slanted_ ~~struck~~ `code`\n\n| a | b |\n| --- | --- |",
    "address": "see www.example.com, https://example.com/?q=1 or girl@example.com",
    "template": "{{constructor.constructor('window.acted = 6')()}} ${window.acted = 7} $filepath",
    "latex": "$$\\latex{x^2}$$ and $x$ and \\(y\\)",
    "formula": '=HYPERLINK("http://example.com","click")',
    "command": "+1+cmd|' /C calc'!A0",
    "minus": "-2+3",
    "at": "@SUM(1)",
    "tab formula": "\t=1+1",
    "wide formula": "\uff1d1+1",
    "entities": "&lt;b&gt; &amp; &#x3c;script&#x3e; %3Cscript%3E",
    "sql": '\'; DROP TABLE samples; -- "quoted" \\ \r\n\n   three lines further, \u2028 and one',
    "right to left": "\u202eenod\u202c \u2066alone\u2069 \u05e9\u05dc\u05d5\u05dd \u0639\u0644",
    "emoji": "\U0001f469\u200d\U0001f467 opens \U0001f4e6 \u5973\u5b69 Z\u0337a\u0335",
    "null byte": "null \x00 bell \x07 escape \x1b[31m zero\u200bwidth",
    "megabyte": ("a girl opens the box <b>now</b>. " * 40_000)[:MEGABYTE],
    "not available": "N/A",
    "empty": "",
    "none": None,
}

#: Elements that only markup makes; our panels and pages of exports use none of them in a text.
MARKUP = "a, iframe, script, table, h1, em, strong, b, code, pre, del, math, style"
