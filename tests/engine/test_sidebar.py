"""The sidebar: our fields in groups of their own, a person's groups as they were."""

import fiftyone as fo
from fiftyone.core.odm.dataset import SidebarGroupDocument
from fiftyone.plugins.orgs.second_opinion.audit.engine import fields, sidebar

OURS = {"confidence": "calibrate", "match_q_actor": "calibrate", "new_q_actor": "score_agreement"}


def make(dataset):
    dataset.add_sample(fo.Sample(filepath="a.mp4", score=1.0, lex_q_mine=0.5))
    for name, stage in OURS.items():
        fields.declare(dataset, stage, {name: (fo.FloatField, "")})
    fields.declare(dataset, "hoist_labels", {"gpt_text": (fo.StringField, "")})
    fields.declare_status(dataset, "calibrate")
    return dataset


def groups(dataset):
    dataset.reload()
    return {group.name: list(group.paths or ()) for group in dataset.app_config.sidebar_groups}


def test_our_fields_have_groups_and_what_a_person_reads_stays(dataset):
    sidebar.install_groups(make(dataset))
    found = groups(dataset)
    assert found["second opinion"] == ["confidence"]
    assert found["second opinion: scores"] == ["match_q_actor", "new_q_actor"]
    assert found["second opinion: records"] == ["audit_status", "audit_ledger"]
    assert {"score", "lex_q_mine", "gpt_text"} <= set(found["primitives"])
    assert not set(OURS) & set(found["primitives"])
    opened = {g.name: g.expanded for g in dataset.app_config.sidebar_groups}
    assert opened["second opinion"] and opened["second opinion: scores"] is False
    assert opened["audit_status"] is opened["audit_ledger"] is False
    assert found["audit_ledger"] == ["audit_ledger.calibrate"]
    sidebar.install_groups(dataset)  # a second time adds nothing twice
    assert groups(dataset) == found
    status = next(g for g in dataset.app_config.sidebar_groups if g.name == "audit_status")
    status.expanded = True  # a person wants to read it
    dataset.save()
    sidebar.install_groups(dataset)
    opened = {g.name: g.expanded for g in dataset.app_config.sidebar_groups}
    assert opened["audit_status"] is True and opened["audit_ledger"] is False
    sidebar.remove_groups(dataset)
    assert set(OURS) <= set(groups(dataset)["primitives"])
    assert not any(name.startswith("second opinion") for name in groups(dataset))
    assert not {"audit_status", "audit_ledger"} & set(groups(dataset))


def test_a_persons_own_groups_keep_what_was_put_there(dataset):
    make(dataset)
    default = fo.DatasetAppConfig.default_sidebar_groups(dataset)
    for group in default:
        group.paths = [path for path in group.paths or () if path not in ("confidence", "score")]
    mine = SidebarGroupDocument(name="mine", paths=["score", "confidence"])
    dataset.app_config.sidebar_groups = [mine, *default]
    dataset.save()
    sidebar.install_groups(dataset)
    found = groups(dataset)
    assert found["mine"] == ["score", "confidence"]
    assert "second opinion" not in found
    assert list(found)[0] == "mine"
    sidebar.remove_groups(dataset)
    assert groups(dataset)["mine"] == ["score", "confidence"]
