"""Runs every cell of docs/tutorial.ipynb and prints what it says; nothing is written to it.

    python docs/run_tutorial.py [NAME=VALUE ...]

Values take the place of those in the notebook's cell that is tagged "parameters".
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

DOCS = Path(__file__).resolve().parent


def execute(**parameters: object) -> nbformat.NotebookNode:
    """Executes the notebook from the root of the checkout; gives it with its outputs.

    Raises:
        CellExecutionError: where a cell fails
    """
    notebook = nbformat.read(DOCS / "tutorial.ipynb", as_version=4)
    (own,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
    own.source += "".join(f"\n{name} = {value!r}" for name, value in parameters.items())
    where = {"metadata": {"path": str(DOCS.parent)}}
    NotebookClient(notebook, timeout=1_200, resources=where).execute()
    return notebook


def told(notebook: nbformat.NotebookNode) -> str:
    """What the cells printed; pictures by their kinds."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "\n".join(o.get("text") or f"({', '.join(o.get('data', {}))})" for o in outputs)


def main(arguments: list[str]) -> int:
    """Executes it and prints what it says."""
    given = dict(argument.split("=", 1) for argument in arguments)
    try:
        print(told(execute(**{k: int(v) if v.isdigit() else v for k, v in given.items()})))
    except CellExecutionError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
