"""The stages: one file each. What a person clicks, queues or calls."""

from .clear_audit import ClearAudit
from .hoist_labels import HoistLabels
from .requeue_stale import RequeueStale
from .run_audit import RunAudit
from .score_agreement import ScoreAgreement
from .tag_confidence import TagConfidence

#: Every operator of the bundle, in the order of an audit.
OPERATORS = (
    HoistLabels,
    ScoreAgreement,
    TagConfidence,
    RunAudit,
    RequeueStale,
    ClearAudit,
)
