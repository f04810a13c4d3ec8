"""A browser's side of one open panel, without the browser: what it sends and what it keeps."""

import json
import time
import urllib.request

import fiftyone as fo

PLUGIN = "@second-opinion/audit"


class Visit:
    """Keeps the state, the view and the points that the panel tells, as the App does."""

    def __init__(self, address: str, dataset: fo.Dataset, panel: str = "confidence_map") -> None:
        self.address, self.dataset, self.panel = address, dataset, f"{PLUGIN}/{panel}"
        self.panel_id = f"visit-{time.monotonic_ns()}"
        self.state: dict = {}
        self.marks: list[str] = []
        self.page = ""
        self._traces: list[dict] = []
        self.request: dict = {"dataset_name": dataset.name, "view": [], "selected": []}

    def send(self, method: str, **params) -> float:
        """Sends an event and takes what is answered; the seconds until all of it is here."""
        told = {
            "__method__": method,
            "panel_id": self.panel_id,
            "panel_state": self.state,
            **params,
        }
        body = {"operator_uri": self.panel, "params": told, **self.request}
        began = time.perf_counter()
        request = urllib.request.Request(
            f"{self.address}/operators/execute",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=600) as response:
            answer = response.read()
        seconds = time.perf_counter() - began
        self._take(json.loads(answer))
        return seconds

    def pick(self, group: str, name: str, value: object) -> float:
        """Moves a picker or a slider."""
        held = self.state.get(group) or {}
        self.state[group] = {**held, name: value}
        return self.send("on_setting", path=f"{group}.{name}", value=value)

    def follow(self) -> float:
        """Tells the panel, as the App does, that the view which it asked for is there."""
        return self.send("on_change_view")

    def shown(self) -> list[str]:
        """The ids of the samples in the view that the panel asked for last."""
        return fo.DatasetView._build(self.dataset, self.request["view"]).values("id")

    def lit(self) -> list[str]:
        """The ids of the points that do not stand back behind others."""
        shown = []
        for trace in self._traces:
            ids = trace.get("ids", [])
            shown += [ids[i] for i in trace.get("selectedpoints", range(len(ids)))]
        return shown

    def _take(self, answer: dict) -> None:
        if answer.get("error"):
            raise RuntimeError(answer["error"])
        for asked in (answer.get("executor") or {}).get("requests", []):
            params = asked["params"]
            name = asked["operator_uri"].rpartition("/")[2]
            if name == "patch_panel_state":
                self.state.update(params["state"])
            elif name == "patch_panel_data" and "map" in params["data"]:
                self._traces = traces = params["data"]["map"] or []
                self.marks = [mark for trace in traces for mark in trace.get("ids", [])]
            elif name == "show_panel_output":
                self.page = json.dumps(params["output"])
            elif name == "set_view":
                self.request["view"] = params["view"]
