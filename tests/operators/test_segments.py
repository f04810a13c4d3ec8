"""Segments and regions scored one by one: on real trees of captions, and on made-up boxes."""

from uuid import uuid4

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest
from fiftyone import ViewField as F
from fiftyone.plugins.orgs.second_opinion.audit.agreement.lexical import lexical_similarity
from fiftyone.plugins.orgs.second_opinion.audit.agreement.plant import plant
from fiftyone.plugins.orgs.second_opinion.audit.agreement.reliability import area_under_roc
from fiftyone.plugins.orgs.second_opinion.audit.agreement.semantic import cosine_similarity
from fiftyone.plugins.orgs.second_opinion.audit.models.encoder import Encoder

TREE = "gpt_summary_brief"
NODES = f"{TREE}.detections"


def stage(name):
    return foo.get_operator(f"@second-opinion/audit/{name}")


# ---- real trees ----


@pytest.fixture(scope="module")
def trees(shared_data):
    """Two real videos whose segments were captioned by two models."""
    name = f"segments-{uuid4().hex[:8]}"
    file = shared_data / "action100m_dev.parquet"
    stage("import_action100m")(None, annotations=file, name=name)
    dataset = fo.load_dataset(name)
    dataset.delete_samples(dataset.skip(2).values("id"))
    yield dataset
    dataset.delete()


def test_segments_are_scored_as_their_texts_are(trees):
    aspects = [{"name": "brief", "annotation": "label", "opinions": {"plm": "plm_caption"}}]
    fields = set(trees.get_field_schema())
    report = stage("score_agreement")(trees, segments=TREE, aspects=aspects, metrics=["lex", "sem"])
    said, heard, got = [], [], []
    for sample in trees:
        witness = {d.node_id: d.label for d in sample.plm_caption.detections}
        for node in sample[TREE].detections:
            said.append(node.label)
            heard.append(witness[node.node_id])
            got.append((node.lex_plm_brief, node.sem_plm_brief))
    lex, sem = np.array(got).T
    np.testing.assert_allclose(lex, lexical_similarity(said, heard), atol=1e-6)
    some = slice(0, 40)
    encoder = Encoder()
    expected = cosine_similarity(encoder.encode(said[some]), encoder.encode(heard[some]))
    np.testing.assert_allclose(sem[some], expected, atol=1e-4)
    assert report["segments"] == report["scored"] == len(said) == 176
    assert set(trees.get_field_schema()) - fields == {"audit_status", "audit_ledger"}
    assert set(trees.values(f"audit_status.score_agreement_{TREE}")) == {"ok"}


def test_a_caption_of_another_segment_of_the_video_is_found(trees):
    ids = trees.values(f"{NODES}.id", unwind=True)
    owners = [i for i, nodes in zip(trees.values("id"), trees.values(f"{NODES}.id")) for _ in nodes]
    spans = np.array(list(zip(*trees.values([f"{NODES}.start", f"{NODES}.end"], unwind=True))))
    texts = trees.values(f"{NODES}.label", unwind=True)
    planted = plant(texts, "other_segment", groups=owners, spans=spans).texts
    wrong = np.random.default_rng(0).random(len(ids)) < 0.15
    wrong &= np.array([text is not None for text in planted])
    claims = {i: p if w else t for i, p, w, t in zip(ids, planted, wrong, texts)}
    trees.set_label_values(f"{NODES}.claim", claims, dynamic=True)
    aspects = [{"name": "claim", "annotation": "claim", "opinions": {"plm": "plm_caption"}}]
    report = stage("calibrate")(trees, segments=TREE, aspects=aspects)
    row = report["calibration"][0]
    assert row["auroc within"] > 0.8 and row["auroc random"] > 0.85  # a sixth are wrong
    confidence = np.array(trees.values(f"{NODES}.confidence_claim", unwind=True))
    assert area_under_roc(confidence[~wrong], confidence[wrong]) > 0.9
    assert trees.values(f"{NODES}.confidence_all", unwind=True) == confidence.tolist()
    assert trees.values(f"{NODES}.confidence", unwind=True) == [None] * 176  # FiftyOne's own
    shown = stage("calibrate").shows(trees, read("calibrate", TREE, aspects), report)
    assert shown.count(NODES) == report["segments"] == 176


def test_segments_are_tagged_and_their_tags_taken_back(trees):
    aspects = [{"name": "claim", "annotation": "claim", "opinions": {"plm": "plm_caption"}}]
    some = trees.values(f"{NODES}.id", unwind=True)[::50]
    trees.set_label_values(f"{NODES}.tags", {i: ["mine"] for i in some})
    before = trees.values(f"{NODES}.tags")
    settings = {"segments": TREE, "aspects": aspects, "aspect": "claim", "coverage": 0.0}
    report = stage("tag_confidence")(trees, **settings)
    suspects = trees.select_labels(tags="suspect", fields=TREE)
    rows = {row["tag"]: row["segments"] for row in report["tags"]}
    assert rows["suspect"] == suspects.count(NODES) > 5
    assert max(suspects.values(f"{NODES}.confidence_claim", unwind=True)) < 0.5
    # a suspect that its witness agrees with holds a text that fits another segment better
    said = [
        " ".join(text.casefold().split()) for text in trees.values(f"{NODES}.claim", unwind=True)
    ]
    found = suspects.values([f"{NODES}.verdict", f"{NODES}.claim"], unwind=True)
    accused = dict(zip(*found))
    assert set(accused) == {"agreed", "scattered"} and said.count(accused["agreed"].casefold()) > 1
    assert rows["agreed"] + rows["scattered"] == report["segments"] == 176
    outside = trees.values(f"{NODES}.outside_clip", unwind=True).count(True)
    report = stage("tag_confidence")(trees, **{**settings, "coverage": 0.5})
    assert {row["tag"]: row["segments"] for row in report["tags"]}["beyond_clip"] == outside > 0
    assert trees.count_sample_tags() == {}
    views = {name: trees.load_saved_view(name).count(NODES) for name in trees.list_saved_views()}
    assert set(views) == {
        f"{name}: {TREE}"
        for name in ("Suspect", "Paraphrase", "Disputed", "Overruled", "Not scored")
    }
    tagged = trees.count_label_tags(TREE)
    assert views[f"Suspect: {TREE}"] == tagged["suspect"] > 0
    assert views[f"Disputed: {TREE}"] == tagged.get("scattered", 0)
    assert trees.count_label_tags(TREE)["mine"] == len(some)
    shown = stage("tag_confidence").shows(trees, read("tag_confidence", TREE, aspects), report)
    assert shown.count(NODES) == 176
    stage("clear_audit")(trees)
    assert trees.list_saved_views() == []
    assert trees.values(f"{NODES}.tags") == before
    assert "confidence_claim" not in trees._sample_collection.find_one()[TREE]["detections"][0]


def read(name, segments, aspects):
    return stage(name).settings.read({"segments": segments, "aspects": aspects})


def test_errors_are_planted_into_copies_of_segments(trees):
    aspects = [{"name": "brief", "annotation": "label", "opinions": {"plm": "plm_caption"}}]
    report = stage("self_test")(
        trees, segments=TREE, aspects=aspects, kinds=["other_segment"], sample_size=40
    )
    (row,) = report["detection"]
    assert report["segments"] == 40 and row["planted"] > 20 and row["auroc sup"] > 0.8


# ---- regions of images ----

ASPECTS = [{"name": "what", "annotation": "said", "opinions": {"a": "one", "b": "other.text"}}]
BOXES = [[0.0, 0.0, 0.4, 0.4], [0.5, 0.5, 0.5, 0.5], [0.1, 0.6, 0.2, 0.2]]


def region(box, label="dog", **texts):
    return fo.Detection(label=label, bounding_box=box, **texts)


@pytest.fixture
def regions(dataset):
    """Two images with boxes, the second field's in another order, and one without any."""
    texts = ["A dog runs.", "A cat sleeps.", "A red kite."]
    for i in range(2):
        mine = [region(box, said=text, one=text) for box, text in zip(BOXES, texts)]
        theirs = [region(box, text=text) for box, text in zip(BOXES, texts)][::-1]
        mine[2].one = None
        dataset.add_sample(
            fo.Sample(
                filepath=f"/tmp/{i}.jpg",
                boxes=fo.Detections(detections=mine),
                other=fo.Detections(detections=theirs[i:]),
            )
        )
    dataset.add_sample(fo.Sample(filepath="/tmp/2.jpg"))
    dataset.add_dynamic_sample_fields()
    return dataset


def score(samples, **settings):
    return stage("score_agreement")(
        samples, segments="boxes", aspects=ASPECTS, metrics=["lex"], **settings
    )


def test_regions_meet_by_their_box_and_missing_stays_none(regions):
    report = score(regions)
    assert regions.values("boxes.detections.lex_a_what") == [[1, 1, None], [1, 1, None], None]
    assert regions.values("boxes.detections.lex_b_what") == [[1, 1, 1], [1, 1, None], None]
    assert regions.values("audit_status.score_agreement_boxes") == ["ok", "ok", "missing"]
    assert regions.values("audit_status.score_agreement_boxes_why") == [
        "1 of 3 labels lack some of one",
        "1 of 3 labels lack some of one, other.text",
        "no labels",
    ]
    row = next(r for r in report["scores"] if r["edge"] == "b")
    assert (report["regions"], row["n"], row["missing"]) == (6, 5, 1)


def test_two_labels_in_one_place_are_not_guessed_apart(regions):
    sample = regions.first()
    sample.other.detections.append(region(BOXES[0], text="A dog runs."))
    sample.save()
    score(regions)
    assert regions.first().boxes.detections[0].lex_b_what is None


def test_a_second_run_scores_only_samples_whose_labels_changed(regions):
    assert score(regions)["scored"] == 6
    assert score(regions)["scored"] == 0
    sample = regions.first()
    sample.boxes.detections[0].said = "Something else."
    sample.save()
    assert score(regions)["scored"] == 3
    assert regions.first().boxes.detections[0].lex_a_what < 1
    again = [region(d.bounding_box, said=d.said, one=d.one) for d in sample.boxes.detections]
    sample.boxes = fo.Detections(detections=again)
    sample.save()
    assert score(regions)["scored"] == 3  # new labels have no scores, though their texts are old


def test_samples_and_segments_are_remembered_apart(regions):
    regions.set_values("title", ["A dog"] * 3)
    regions.set_values("caption", ["A dog runs."] * 3)
    aspects = [{"name": "cap", "annotation": "title", "opinions": {"a": "caption"}}]
    whole = {"aspects": aspects, "metrics": ["lex"]}
    assert stage("score_agreement")(regions, **whole)["scored"] == 3
    assert score(regions)["scored"] == 6
    assert stage("score_agreement")(regions, **whole)["scored"] == 0
    assert score(regions)["scored"] == 0


def test_a_view_that_filters_labels_scores_those_only(regions):
    view = regions.filter_labels("boxes", F("said") == "A dog runs.")
    assert score(view)["regions"] == 2
    assert regions.values("boxes.detections.lex_a_what")[:2] == [[1, None, None]] * 2


def test_one_operation_audits_regions_from_scores_to_tags(regions):
    report = stage("run_audit")(regions, segments="boxes", aspects=ASPECTS)
    assert list(report["stages"]) == ["score_agreement", "calibrate", "tag_confidence"]
    assert report["stages"]["score_agreement"]["regions"] == 6
    assert sum("at least 100 pairs" in line for line in report["summary"]) == 1
    assert regions.first().boxes.detections[0].sup_b_what > 0.9
    assert regions.values("boxes.detections.verdict")[0] == ["unscored"] * 3


def test_what_was_written_to_labels_is_cleared_and_nothing_else(regions):
    before = set(regions.get_field_schema(flat=True))
    score(regions)
    stage("clear_audit")(regions.limit(1), stages=["score_agreement"])
    lex = regions.values("boxes.detections.lex_a_what")
    assert lex[0] == [None] * 3 and lex[1] == [1, 1, None]
    assert score(regions)["scored"] == 3
    stage("clear_audit")(regions, stages=["score_agreement"])
    left = set(regions.get_field_schema(flat=True)) - before
    assert left == {"audit_status", "audit_ledger"}
    assert not [run for run in regions.list_runs() if run.startswith("second_opinion_score")]
    assert regions.first().boxes.detections[0].said == "A dog runs."


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"segments": "nowhere"}, "no field 'nowhere'; fields that would do: boxes, other"),
        ({"segments": "title"}, "'title' is a StringField, and a TemporalDetections or Detections"),
        ({"segments": "empty"}, "no sample has labels in 'empty'"),
        ({"annotation": "nothing"}, "labels of 'boxes' have no attribute 'nothing'.*what needs it"),
        ({"annotation": "bounding_box"}, "'bounding_box' is a ListField; what needs a text"),
        ({"annotation": "title"}, "no attribute 'title'"),
        ({"annotation": "scenes"}, "'scenes' and 'boxes' cannot be matched: give both a node_id"),
    ],
)
@pytest.mark.parametrize("name", ["score_agreement", "calibrate", "self_test"])
def test_bad_segments_are_refused_before_any_work(regions, name, settings, sentence):
    regions.set_values("title", ["A dog"] * 3)
    for field, kind in (("empty", fo.Detections), ("scenes", fo.TemporalDetections)):
        regions.add_sample_field(field, fo.EmbeddedDocumentField, embedded_doc_type=kind)
    aspects = [{**ASPECTS[0], "annotation": settings.get("annotation", "said")}]
    before = set(regions.get_field_schema(flat=True))
    with pytest.raises(ValueError, match=sentence):
        stage(name)(regions, aspects=aspects, segments=settings.get("segments", "boxes"))
    assert set(regions.get_field_schema(flat=True)) == before


def test_a_preset_reads_the_labels_that_its_annotations_are_hoisted_from(dataset):
    words = {"qwen3vl_summary_brief": "A dog runs.", "qwen3vl_action_brief": "run"}
    node = fo.TemporalDetection(label="A dog runs.", support=[1, 9], node_id="n", **words)
    act = fo.TemporalDetection(label="run", support=[1, 9], node_id="n")
    dataset.add_sample(
        fo.Sample(
            filepath="/tmp/a.mp4",
            gpt_summary_brief=fo.TemporalDetections(detections=[node]),
            gpt_action_brief=fo.TemporalDetections(detections=[act]),
        ),
        dynamic=True,
    )
    settings = read("score_agreement", TREE, "action100m")
    assert [edge.right for edge in settings.chosen_edges()][::3][:2] == [
        "gpt_summary_brief",
        "gpt_summary_detailed",
    ]
    with pytest.raises(ValueError, match="no attribute 'molmo_summary_brief'"):
        stage("score_agreement")(dataset, segments=TREE)
