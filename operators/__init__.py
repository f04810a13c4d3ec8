"""The stages: one file each. What a person clicks, queues or calls."""

from .calibrate import Calibrate
from .caption import Caption
from .check_tree import CheckTree
from .classify import Classify
from .clear_audit import ClearAudit
from .compare_lenses import CompareLenses
from .embed import Embed
from .estimate_error_rate import EstimateErrorRate
from .export_audit import ExportAudit
from .find_stuck_captions import FindStuckCaptions
from .ground_disputes import GroundDisputes
from .hoist_labels import HoistLabels
from .import_action100m import ImportAction100M
from .open_audit import OpenAudit
from .plan_review import PlanReview
from .read_opinions import ReadOpinions
from .recalibrate import Recalibrate
from .requeue_stale import RequeueStale
from .retry_failed import RetryFailed
from .run_audit import RunAudit
from .score_agreement import ScoreAgreement
from .self_test import SelfTest
from .tag_confidence import TagConfidence

#: Every operator of the bundle, in the order of an audit.
OPERATORS = (
    ImportAction100M,
    Caption,
    Embed,
    Classify,
    CompareLenses,
    HoistLabels,
    ReadOpinions,
    ScoreAgreement,
    Calibrate,
    TagConfidence,
    GroundDisputes,
    SelfTest,
    FindStuckCaptions,
    CheckTree,
    PlanReview,
    EstimateErrorRate,
    Recalibrate,
    ExportAudit,
    RunAudit,
    OpenAudit,
    RequeueStale,
    RetryFailed,
    ClearAudit,
)
