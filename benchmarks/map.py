"""How long the confidence map takes to answer, from the event's arrival to the last byte.

    python -m benchmarks.map                       # 100,000 samples
    python -m benchmarks.map --samples 20000 200000

The App's own server runs in a process of its own, and is sent what a browser would send: the
panel opens, a person looks at it for a while, every view is visited a first and a second time,
pickers and sliders are moved, half of the points are lassoed, cells, bars and tags are clicked,
samples are selected in the grid. Prints a table in Markdown; the time that a browser takes to
draw is not in it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo

from tests.app.audited import make_dataset
from tests.app.driver import app_server
from tests.app.visit import Visit

#: Seconds for which a person looks at the map before anything is clicked.
LOOKED_AT = 10
VIEWS = ("agreement", "confidence", "witnesses", "lens", "table")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[100_000])
    parser.add_argument("--keep", action="store_true", help="leave the datasets for the next run")
    given = parser.parse_args()
    fo.config.show_progress_bars = False
    foo.list_operators()  # loads the plugin
    columns = []
    with tempfile.TemporaryDirectory() as folder:
        for n in given.samples:
            name = f"benchmark-{n}"
            made = fo.dataset_exists(name) and given.keep
            dataset = fo.load_dataset(name) if made else make_dataset(n, Path(folder), "benchmark")
            with app_server(Path(folder) / "server.log") as address:
                columns.append(measure(Visit(address, dataset)))
            if not given.keep:
                dataset.delete()
    print(f"Load {os.getloadavg()[0]:.1f} at the end.\n")
    print("| what a person does | " + " | ".join(f"{n:,} samples" for n in given.samples) + " |")
    print("| --- |" + " ---: |" * len(columns))
    for row in columns[0]:
        print(f"| {row} | " + " | ".join(f"{c[row]:.2f} s" for c in columns) + " |")
    for n, column in zip(given.samples, columns):
        after = {row: seconds for row, seconds in column.items() if row != "open the panel"}
        worst = max(after, key=after.get)
        print(f"\n{n:,} samples: after opening, at most {after[worst]:.2f} s: {worst}.")


def measure(visit: Visit) -> dict[str, float]:
    """``{what a person does: seconds}``."""
    taken = {"open the panel": visit.send("on_load")}
    time.sleep(LOOKED_AT)
    for time_ in ("first", "second"):
        for view in VIEWS[1:] + VIEWS[:1]:
            taken[f"view {view}, {time_} visit"] = visit.pick("pick", "view", view)
    taken["another aspect"] = visit.pick("pick", "aspect", "act_brief")
    taken["another comparison"] = visit.pick("pick", "edge", "qm")
    taken["coloured by a score"] = visit.pick("pick", "colour", "sem_m_actor")
    taken["coloured by words"] = visit.pick("pick", "colour", "verdict")
    taken["coloured by a text"] = visit.pick("pick", "colour", "molmo_action_actor")
    visit.pick("pick", "colour", "the tags")
    taken["slider of false alarms"] = visit.pick("by", "fdr", 0.2)
    taken["the workshop's rules"] = visit.pick("by", "rules", "workshop")
    taken["slider of a threshold"] = visit.pick("by", "sem_high", 0.7)
    half = [{"id": mark, "x": 0.1234, "y": 0.1234} for mark in visit.marks[::2]]
    taken["lasso of half the points"] = visit.send("on_lasso", data=half)
    taken["after a lasso, the view's event"] = visit.follow()
    taken["after a lasso, another comparison"] = visit.pick("pick", "edge", "q")
    taken["show all"] = visit.send("on_show_all")
    visit.follow()
    taken["a tag's button"] = visit.send("on_tag", tag="triple_agreement")
    visit.follow()
    visit.send("on_show_all")
    visit.follow()
    visit.request["selected"] = visit.dataset.limit(50).values("id")
    taken["50 selected in the grid"] = visit.send("on_change_selected")
    visit.request["selected"] = []
    visit.send("on_change_selected")
    taken["click on a point"] = visit.send("on_point", id=visit.marks[7])
    visit.follow()
    visit.send("on_show_all")
    visit.follow()
    visit.pick("pick", "view", "confidence")
    taken["click on a bar"] = visit.send("on_point", id=visit.marks[-1])
    visit.follow()
    visit.send("on_show_all")
    visit.follow()
    visit.pick("pick", "view", "table")
    taken["a cell of the table"] = visit.send("on_cell", aspect="actor", edge="m")
    visit.request["view"] = visit.dataset.limit(len(visit.dataset) // 2)._serialize()
    taken["another view in the App"] = visit.send("on_change_view")
    return taken


if __name__ == "__main__":
    main()
