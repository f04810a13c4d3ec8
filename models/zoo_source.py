"""Lets FiftyOne find this plugin's models by name, as the App's search by text must."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import fiftyone as fo
import fiftyone.zoo as foz

from .zoo import ANY_LENS

_MANIFEST = Path(__file__).resolve().parents[1] / "manifest.json"

# Runs in FiftyOne's zoo, in whatever process asks: there is one copy of the plugin in each
_STUB = '''"""Hands FiftyOne's zoo on to @second-opinion/audit, whose embed stage wrote this."""

import importlib
import sys

_PLUGIN = "fiftyone.plugins.orgs.second_opinion.audit"


def _zoo():
    if _PLUGIN not in sys.modules:
        import fiftyone.operators as foo

        foo.list_operators()  # loads the plugins
    return importlib.import_module(f"{_PLUGIN}.models.zoo")


def download_model(model_name, model_path):
    _zoo().download_model(model_name, model_path)


def load_model(model_name, model_path=None, **kwargs):
    return _zoo().load_model(model_name, model_path, **kwargs)


def resolve_input(model_name, ctx):
    return _zoo().resolve_input(model_name, ctx)
'''


def make_known() -> bool:
    """Makes the names of ``manifest.json`` known to FiftyOne's zoo on this machine.

    An index remembers its model by name, so that a later session can embed a text with
    it. Writes two small files into FiftyOne's model zoo folder, unless this plugin was
    registered there as a source already.

    Returns:
        whether anything had to be written
    """
    if ANY_LENS in foz.list_zoo_models():
        return False
    name = json.loads(_MANIFEST.read_text(encoding="utf-8"))["name"]
    folder = Path(fo.config.model_zoo_dir) / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text(_STUB, encoding="utf-8")
    shutil.copyfile(_MANIFEST, folder / _MANIFEST.name)
    return True
