"""What every stage owes: a form, sentences for mistakes, one meaning however it is called."""

import asyncio
import inspect
import json
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
import pytest
import yaml
from fiftyone.operators.executor import ExecutionContext, Executor
from fiftyone.operators.registry import OperatorRegistry
from fiftyone.operators.types import RiskLevel

REPO = Path(__file__).resolve().parents[2]
PREFIX = "@second-opinion/audit/"
OURS = [op for op in foo.list_operators(type="operator") if op.uri.startswith(PREFIX)]
STAGES = [op.name for op in OURS if hasattr(op, "settings")]  # open_audit is a button alone
ASPECTS = [{"name": "cap", "annotation": "label", "opinions": {"a": "one"}}]


@pytest.fixture
def pairs(dataset):
    dataset.add_samples(
        [fo.Sample(filepath=f"/tmp/{i}.jpg", label="a dog", one="a cat") for i in range(3)]
    )
    return dataset


def form(operator, dataset, **params):
    """The form as the App would draw it for these parameters."""
    request = {"dataset_name": dataset and dataset.name, "params": params}
    ctx = ExecutionContext(request, executor=Executor(), operator_uri=operator.uri)
    return operator.resolve_input(ctx)


def test_the_plugin_loads_without_an_error_and_lists_everything():
    assert OperatorRegistry().list_errors() == []
    manifest = yaml.safe_load((REPO / "fiftyone.yml").read_text())
    panels = [p.name for p in foo.list_operators(type="panel") if p.uri.startswith(PREFIX)]
    assert sorted(manifest["operators"]) == sorted(op.name for op in OURS)
    assert sorted(manifest.get("panels", [])) == sorted(panels)


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_says_what_it_does_and_what_it_risks(name, operator):
    config = operator(name).config
    assert config.label and config.icon and config.description.endswith(".")
    assert config.risk_level in (RiskLevel.LOW, RiskLevel.MEDIUM, RiskLevel.HIGH)
    assert config.allow_delegated_execution
    assert type(operator(name)).__doc__


@pytest.mark.parametrize("name", STAGES)
def test_the_form_offers_each_setting_with_its_default(name, operator, pairs):
    stage = operator(name)
    parameters = list(inspect.signature(stage).parameters)
    assert parameters[0] == "samples" and parameters[-1] == "delegate"
    drawn = form(stage, pairs).type.properties
    for setting, (_, spec) in stage.settings.declared().items():
        if setting in drawn:
            assert drawn[setting].view.label == spec.label
            assert drawn[setting].view.description == spec.help
    json.dumps(form(stage, pairs).to_json())


@pytest.mark.parametrize("name", STAGES)
def test_no_form_fails_where_there_is_no_dataset(name, operator):
    json.dumps(form(operator(name), None).to_json())


def test_the_form_marks_the_mistake_where_it_was_made(pairs, operator):
    drawn = form(operator("score_agreement"), pairs, aspects=json.dumps(ASPECTS), edges=["z"])
    assert drawn.type.properties["edges"].invalid
    assert "no 'z'; there are a" in drawn.type.properties["edges"].error_message
    assert not drawn.type.properties["aspects"].invalid


def test_the_form_says_what_will_be_written(pairs, operator):
    drawn = form(operator("score_agreement"), pairs, aspects=json.dumps(ASPECTS), metrics=["lex"])
    assert "1 field: lex_a_cap" in drawn.type.properties["preview"].view.label
    assert not any(prop.invalid for prop in drawn.type.properties.values())


def test_whoever_chooses_segments_is_offered_their_texts(dataset, operator):
    def labels(**texts):
        box = fo.Detection(label="dog", bounding_box=[0, 0, 1, 1], **texts)
        return fo.Detections(detections=[box])

    boxes, others = labels(said="A dog."), labels()
    dataset.add_sample(fo.Sample(filepath="/tmp/a.jpg", title="x", boxes=boxes, others=others))
    dataset.add_dynamic_sample_fields()
    picks = {"aspects": "my own fields"}
    for given, wanted in (
        (picks, ["filepath", "title"]),
        ({**picks, "segments": "boxes"}, ["label", "said", "others"]),
    ):
        drawn = form(operator("calibrate"), dataset, **given).type.properties
        assert [c.value for c in drawn["annotation"].view.choices] == wanted
        assert [c.value for c in drawn["segments"].view.choices] == ["boxes", "others"]
    given = {**picks, "segments": "boxes", "annotation": "said", "opinions": ["others"]}
    drawn = form(operator("score_agreement"), dataset, **given, metrics=["lex"])
    assert "boxes.detections.lex_a_said" in drawn.type.properties["preview"].view.label


@pytest.mark.parametrize("aspects", [ASPECTS, json.dumps(ASPECTS)])
def test_the_executor_and_a_call_leave_the_same_scores(pairs, operator, aspects):
    uri = f"{PREFIX}score_agreement"
    params = {"aspects": aspects, "metrics": ["lex"]}
    result = foo.execute_operator(uri, {"dataset": pairs, "params": params})
    by_executor = pairs.values("lex_a_cap")
    report = operator("score_agreement")(pairs, **params, overwrite=True)
    assert pairs.values("lex_a_cap") == by_executor
    assert result.result["scores"] == report["scores"]


def test_a_call_works_where_an_event_loop_runs(pairs, operator):
    async def in_a_notebook():
        score = operator("score_agreement")
        report = score(pairs, aspects=ASPECTS, metrics=["lex"])
        return report, score(pairs, aspects=ASPECTS, metrics=["lex"], delegate=True)

    report, operation = asyncio.run(in_a_notebook())
    assert report["scored"] == 3
    assert str(operation)


def test_clips_patches_and_frames_are_refused_since_writes_to_them_are_lost(dataset, operator):
    track = fo.TemporalDetections(detections=[fo.TemporalDetection(label="x", support=[1, 2])])
    dataset.add_sample(fo.Sample(filepath="/tmp/a.mp4", label="x", one="y", events=track))
    clips = dataset.to_clips("events")
    with pytest.raises(ValueError, match="made of clips"):
        operator("score_agreement")(clips, aspects=ASPECTS)


def test_settings_are_kept_with_the_dataset(pairs, operator):
    operator("score_agreement")(pairs, aspects=ASPECTS, metrics=["lex"])
    (key,) = pairs.list_runs()
    config = pairs.get_run_info(key).config
    assert config.settings["metrics"] == ["lex"]
    assert json.loads(config.settings["aspects"]) == ASPECTS
    assert config.samples == 3 and config.versions["fiftyone"] == fo.__version__
    assert pairs.load_run_results(key).report["scored"] == 3
