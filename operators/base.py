"""What every stage shares: called from Python, clicked in the App, or queued for a worker.

A stage is one file: its settings (a :class:`~.settings.Settings`), its work, and
what its form says before and after. The rest is here, once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
from bson import ObjectId
from fiftyone.operators.types import RiskLevel

from ..engine import fields as owned_fields
from ..engine import provenance
from ..engine.columns import root_dataset
from ..engine.database import plainly_told
from ..engine.failures import TooManyFailures
from ..engine.heartbeat import Heartbeat
from ..engine.ledger import forget_lost
from ..engine.progress import Progress, ReportedProgress, TerminalProgress
from . import forms, spread
from .samples_needed import fields_problem, samples_problem
from .settings import Settings, SettingsError

PLUGIN = "@second-opinion/audit"

# What the App adds to a form's parameters beside ours.
_APP_PARAMS = ("view_target", "custom_view_target", "delegate", "panel_state", "report")


class Stage(foo.Operator):
    """One stage of an audit.

    Subclasses set the class attributes and write :meth:`work`; they may write
    :meth:`check`, :meth:`writes` and :meth:`shows`.

    Call a stage as ``foo.get_operator(uri)(samples, **settings, delegate=False)``.
    It then runs in this process, raises what goes wrong, and returns its report;
    with ``delegate=True`` it is queued and the queued operation's id is returned.

    Attributes:
        name: the operator's name
        label: the operator's name as a person reads it
        description: what it does and what it writes
        icon: a Material icon's name
        risk: how much harm a mistaken run can do
        settings: the stage's settings class
        needs_samples: whether the stage works on samples that exist
        prefers_delegation: whether the form suggests queueing it for a worker
        unlisted: whether the operator browser hides it
        keeps_run: whether settings and report are kept with the dataset
        rides_ray: whether all that it writes can travel from a Ray cluster
    """

    name = ""
    label = ""
    description = ""
    icon = "fact_check"
    risk = RiskLevel.MEDIUM
    settings: type[Settings] = Settings
    needs_samples = True
    prefers_delegation = False
    unlisted = False
    keeps_run = True
    rides_ray = True

    # ---- what a stage writes ----

    def work(
        self,
        samples: fo.core.collections.SampleCollection | None,
        settings: Settings,
        progress: Progress,
    ) -> dict:
        """Does the work and returns the report, which JSON can hold."""
        raise NotImplementedError

    def check(
        self, samples: fo.core.collections.SampleCollection | None, settings: Settings
    ) -> dict[str, str]:
        """What is wrong with these settings for these samples: ``{setting: sentence}``."""
        return {}

    def writes(self, settings: Settings) -> dict[str, tuple]:
        """The sample fields that will be written: ``{name: (field type, description)}``."""
        return {}

    def shows(
        self,
        samples: fo.core.collections.SampleCollection | None,
        settings: Settings,
        report: dict,
    ) -> fo.DatasetView | None:
        """The view that the report speaks of, for a button beside it."""
        return None

    def work_name(self, settings: Settings) -> str:
        """Under which name status, ledger and run are kept: the stage's, or its and more."""
        return self.name

    def block(self, settings: Settings) -> int:
        """Parts of the samples, for many workers, are multiples of this."""
        return 1

    def status_name(self, settings: Settings) -> str:
        """Under which name status and ledger are kept, where the run has another."""
        return self.work_name(settings)

    def proof(self, settings: Settings) -> list[str]:
        """Fields of which a sample that is called ok lacks none, or else it is done again."""
        return []

    def open(self, samples: fo.core.collections.SampleCollection, settings: Settings) -> fo.Dataset:
        """Declares what the stage writes; call it once all that may fail is loaded.

        A field that had to be made holds nothing yet, whatever the ledger remembers.
        """
        dataset, work = root_dataset(samples), self.status_name(settings)
        made = owned_fields.declare(dataset, self.name, self.writes(settings))
        ran_before = owned_fields.declare_status(dataset, work)
        if made and ran_before:
            owned_fields.forget(dataset, work)
        forget_lost(samples, work, self.proof(settings))
        return dataset

    # ---- from Python ----

    def __init__(self, _builtin: bool = False) -> None:
        super().__init__(_builtin=_builtin)
        keyword = inspect.Parameter.KEYWORD_ONLY
        given = [
            inspect.Parameter(name, keyword, default=getattr(self.settings(), name))
            for name in self.settings.declared()
        ]
        samples = inspect.Parameter("samples", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        delegate = inspect.Parameter("delegate", keyword, default=False)
        self.__signature__ = inspect.Signature([samples, *given, delegate])

    def __call__(
        self,
        samples: fo.core.collections.SampleCollection | None = None,
        *,
        delegate: bool = False,
        progress: Progress | None = None,
        **settings: object,
    ) -> dict | ObjectId:
        """Runs the stage here, or queues it.

        Args:
            samples: a dataset or view; None for a stage that makes a dataset
            delegate: whether to queue the stage for ``fiftyone delegated launch``
            progress: where to tell the progress; FiftyOne's bar by default
            **settings: the stage's settings

        Returns:
            the report, or the queued operation's id (a list of ids where it is split)

        Raises:
            SettingsError: a sentence for each setting that cannot work
        """
        spread.refuse_spread(self, settings)
        read: Any = self.settings.read(settings)
        if delegate:
            self._require(samples, read)
            apart = spread.is_spread(read) and read.runner == "here"
            return spread.queue_parts(self, samples, read) if apart else self.queue(samples, read)
        return self.run(samples, read, progress or TerminalProgress())

    def run(
        self,
        samples: fo.core.collections.SampleCollection | None,
        settings: Settings,
        progress: Progress,
    ) -> dict:
        """Checks the settings, does the work in this process, and keeps the report."""
        self._require(samples, settings)
        work: Any = spread.run_parts if spread.is_spread(settings) else spread.run_part
        try:
            with plainly_told():
                report = work(self, samples, settings, progress)
        except TooManyFailures as error:  # its settings are kept, so that it can be tried again
            self._keep(samples, settings, {"summary": [str(error)]})
            raise
        self._keep(samples, settings, report)
        return report

    def _keep(
        self,
        samples: fo.core.collections.SampleCollection | None,
        settings: Settings,
        report: dict,
    ) -> None:
        if self.keeps_run and samples is not None:
            provenance.register(samples, self.work_name(settings), settings.as_params(), report)

    def _require(
        self, samples: fo.core.collections.SampleCollection | None, settings: Settings
    ) -> None:
        problems = self.problems(samples, settings)
        if problems:
            raise SettingsError(problems)

    def problems(
        self, samples: fo.core.collections.SampleCollection | None, settings: Settings
    ) -> dict[str, str]:
        """Everything wrong with the settings for these samples: ``{setting: sentence}``."""
        if self.needs_samples:
            sentence = samples_problem(samples)
            if sentence:
                return {"samples": sentence}
        dataset = None if samples is None else root_dataset(samples)
        problems = settings.problems(dataset) or spread.problems(self, settings)
        if not problems:  # a stage's own check may rely on sound values
            problems = self.check(samples, settings)
        if not problems and dataset is not None:
            overwrite = getattr(settings, "overwrite", False)
            problems = fields_problem(dataset, self.writes(settings), overwrite)
        return problems

    def queue(
        self, samples: fo.core.collections.SampleCollection | None, settings: Settings
    ) -> ObjectId:
        """Queues the stage for a worker; gives the operation's id."""
        context = {"params": settings.as_params(), "request_delegation": True}
        if samples is not None:
            context["dataset"] = root_dataset(samples)
            context["view"] = samples.view()
        # FiftyOne schedules through an event loop; a thread of its own has none
        # running, so this works in a notebook as it does in a script.
        with ThreadPoolExecutor(1) as thread:
            queued = thread.submit(foo.execute_operator, self.uri, context).result()
        return queued.result["id"]

    # ---- in the App, and in a worker ----

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name=self.name,
            label=self.label,
            description=self.description,
            icon=self.icon,
            dynamic=True,
            disable_schema_validation=True,  # our own check says it in a sentence
            unlisted=self.unlisted,
            allow_immediate_execution=True,
            allow_delegated_execution=True,
            default_choice_to_delegated=self.prefers_delegation,
            risk_level=self.risk,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> foo.types.Property:
        samples = self._samples(ctx)
        settings, problems = forms.read(self.settings, ctx.params, _APP_PARAMS)
        if settings is not None:
            problems = self.problems(samples, settings)
        dataset = None if samples is None else root_dataset(samples)
        texts = forms.own_texts(ctx.params, dataset)
        return forms.build(self, dataset, settings, problems, texts)

    def execute(self, ctx: foo.ExecutionContext) -> dict:
        settings, problems = forms.read(self.settings, ctx.params, _APP_PARAMS)
        if settings is None:
            raise SettingsError(problems)
        samples = self._samples(ctx)
        operation = getattr(ctx, "_delegated_operation_id", None)  # FiftyOne has no public name
        with Heartbeat(operation) as heartbeat:
            progress = ReportedProgress(_reporter(ctx), check=heartbeat.check)
            report = self.run(samples, settings, progress)
        if not ctx.delegated:
            ctx.ops.reload_dataset()
        return report

    def resolve_output(self, ctx: foo.ExecutionContext) -> foo.types.Property:
        settings, _ = forms.read(self.settings, ctx.params, _APP_PARAMS)
        samples = self._samples(ctx)
        view = None
        if settings is not None and samples is not None:
            view = self.shows(samples, settings, ctx.results)
        return forms.report(self.label, ctx.results, view)

    def _samples(self, ctx: foo.ExecutionContext) -> fo.core.collections.SampleCollection | None:
        if not self.needs_samples or ctx.dataset is None:
            return None
        return ctx.target_view()


def _reporter(ctx: foo.ExecutionContext) -> Callable[[float, str], None]:
    return lambda share, label: ctx.set_progress(progress=share, label=label)
