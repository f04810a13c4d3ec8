"""The button above the grid, and the word that a queued run has ended."""

from concurrent.futures import ThreadPoolExecutor

from fiftyone.operators.delegated import DelegatedOperationService

from tests.app.test_confidence_map import Map


def test_one_button_opens_the_audit_which_tells_when_a_queued_run_has_ended(
    app, workshop_dataset, operator, tmp_path
):
    export = operator("export_audit")
    export(workshop_dataset, path=str(tmp_path / "audit.jsonl"), format="jsonl", delegate=True)
    app.open(workshop_dataset)
    app.page.locator("[data-item-id='@second-opinion/audit/open_audit']").first.click()
    Map(app).says("54 of 60 samples are on the map")
    assert app.page.locator("[data-cy=panel-tab-review]").count() == 1
    workshop_dataset.reload()
    assert workshop_dataset.list_workspaces() == ["Second opinion"]
    execute = DelegatedOperationService().execute_queued_operations
    with ThreadPoolExecutor(1) as worker:  # the browser's event loop holds this thread
        worker.submit(execute, operator=export.uri, dataset_name=workshop_dataset.name).result()
    assert (tmp_path / "audit.jsonl").exists()
    app.page.get_by_text("Export audit has finished.").wait_for()
