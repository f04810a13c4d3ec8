"""Runs every cell of docs/tutorial.ipynb and prints what it says; nothing is written to it."""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

DOCS = Path(__file__).resolve().parent


def main() -> int:
    """Executes the notebook from the root of the checkout."""
    notebook = nbformat.read(DOCS / "tutorial.ipynb", as_version=4)
    where = {"metadata": {"path": str(DOCS.parent)}}
    client = NotebookClient(notebook, timeout=1_200, resources=where)
    try:
        client.execute()
    except CellExecutionError as error:
        print(error)
        return 1
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            print(output.get("text") or f"({', '.join(output.get('data', {}))})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
