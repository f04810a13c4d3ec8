"""A stage over a Ray cluster: actors compute parts of the samples, one writer keeps the results.

Ray's processes do not know the plugin's module name. An actor therefore loads the
plugin by path first, as FiftyOne does, and then runs the very stage that runs here; what
it would write travels back. The class of the actors is made inside a function, since Ray
sends such a class whole and not by the name of a module.
"""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import fiftyone as fo

Samples: TypeAlias = fo.core.collections.SampleCollection

# Results travel in small blocks, so that little is lost with the process that writes them.
_BLOCK_BYTES = 1 << 20
_PASSED_ON = ("FIFTYONE_", "HF_", "OMP_", "SECOND_OPINION_", "TOKENIZERS_")


class RayUnavailable(RuntimeError):
    """Ray is not installed, or its cluster cannot be reached."""


def missing() -> str | None:
    """Why Ray cannot be used here, in a sentence; None where it can."""
    try:
        import ray.data  # noqa: F401
    except ImportError:
        return 'Ray is not installed. Run pip install "ray[data]", or leave the runner at "here".'
    return None


def run(uri: str, samples: Samples, parts: Sequence[dict], gpus: bool) -> Iterator[tuple]:
    """Runs a stage's work on parts of the samples, an actor a part.

    Args:
        uri: the stage
        samples: a dataset or view
        parts: the stage's settings for each part
        gpus: whether each actor holds a GPU, where the cluster has any

    Yields:
        ``(name of a function of engine.columns, its arguments)`` for each batch of
        results, and ``("report", (report,))`` for each part

    Raises:
        RayUnavailable: if there is no Ray, or no cluster at ``RAY_ADDRESS``
        RuntimeError: a sentence, if an actor failed
    """
    if why := missing():
        raise RayUnavailable(why)
    ray = _connect()
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.target_max_block_size = _BLOCK_BYTES
    held = {"num_gpus": 1} if gpus and ray.cluster_resources().get("GPU") else {"num_cpus": 1}
    stages = samples.view()._serialize()
    rows = [{"part": pickle.dumps((uri, samples._root_dataset.name, stages, p))} for p in parts]
    pool = ray.data.ActorPoolStrategy(min_size=1, max_size=len(rows))
    found = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        _actor_class(), batch_size=1, compute=pool, **held
    )
    try:
        for batch in found.iter_batches(batch_size=None, prefetch_batches=1):
            for written in batch["written"]:
                yield pickle.loads(written)
    except ray.exceptions.RayError as error:
        raise RuntimeError(
            f"A Ray actor failed: {_root(error)} What was written is kept; run the stage again."
        ) from error


def _connect():  # noqa: ANN202 - the module ray, which may be absent
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.WARNING)  # its plans and times
    if ray.is_initialized():
        return ray
    passed = {k: v for k, v in os.environ.items() if k.startswith(_PASSED_ON)}
    passed["FIFTYONE_PLUGINS_DIR"] = fo.config.plugins_dir
    passed["FIFTYONE_DATABASE_NAME"] = fo.config.database_name
    if fo.config.database_uri:
        passed["FIFTYONE_DATABASE_URI"] = fo.config.database_uri
    address = os.environ.get("RAY_ADDRESS")
    local = {} if address else {"include_dashboard": False}
    try:
        ray.init(
            address=address, runtime_env={"env_vars": passed}, log_to_driver=False,
            logging_level="warning", **local,
        )  # fmt: skip
    except (ConnectionError, ValueError, RuntimeError) as error:
        where = f"the Ray cluster at {address}" if address else "a Ray cluster on this machine"
        raise RayUnavailable(
            f"Could not reach {where} ({_root(error)}) Check RAY_ADDRESS, or leave the runner at "
            '"here".'
        ) from error
    return ray


def _root(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{(str(error).strip() or type(error).__name__).splitlines()[-1].rstrip('.')}."


def _actor_class() -> type:
    class Actor:
        """Runs a stage's work on a part and yields what it would write."""

        def __call__(self, batch: dict) -> Iterator[dict]:
            import pickle
            import queue
            import sys
            import threading

            import fiftyone as fo
            import fiftyone.operators as foo

            uri, name, stages, given = pickle.loads(batch["part"][0])
            stage = foo.get_operator(uri)  # loads the plugin by its path
            room = type(stage).__module__.rsplit(".", 2)[0]
            columns = sys.modules[f"{room}.engine.columns"]
            shards = sys.modules[f"{room}.engine.shards"]
            progress = sys.modules[f"{room}.engine.progress"]
            settings = stage.settings.read(given)
            view = fo.DatasetView._build(fo.load_dataset(name), stages)
            written: queue.Queue = queue.Queue(maxsize=4)

            def work() -> None:
                try:
                    with columns.relayed_to(lambda *write: written.put(write)):
                        part = shards.between(view, *settings.part)
                        report = stage.work(part, settings, progress.Progress())
                    written.put(("report", (report,)))
                except BaseException as error:  # noqa: BLE001 - raised again below
                    written.put((None, error))
                written.put(None)

            threading.Thread(target=work, daemon=True).start()
            while (write := written.get()) is not None:
                if write[0] is None:
                    raise RuntimeError(str(write[1])) from None
                yield {"written": [pickle.dumps(write)]}

    return Actor
