"""A stage's form as a person meets it: filled in, refused, executed, and its samples shown."""

from playwright.sync_api import expect


def write(app, form, text):
    """Writes into the form's first input, as a person does."""
    form.locator("input").first.click()
    app.page.keyboard.press("ControlOrMeta+A")
    app.page.keyboard.type(text, delay=20)


def choose(app, form, shown, wanted):
    """Chooses from the dropdown that shows a value."""
    form.get_by_text(shown, exact=True).click()
    app.page.get_by_role("option", name=wanted).click()


def test_a_form_refuses_in_a_sentence_then_runs_and_shows_its_samples(app, workshop_dataset):
    app.open(workshop_dataset)
    form = app.open_operator("Tag confidence")
    execute = form.get_by_role("button", name="Execute")
    form.get_by_text("Run calibrate for 'sum_detailed' first").first.wait_for()
    expect(execute).to_be_disabled()
    choose(app, form, "calibrated", "workshop")
    form.get_by_text("Will write").wait_for()
    write(app, form, "colour")
    form.get_by_text("the dataset has no field 'sem_q_colour'").first.wait_for()
    expect(execute).to_be_disabled()
    write(app, form, "sum_brief")
    expect(execute).to_be_enabled()
    execute.click()
    form.get_by_text("sum_brief: tagged").wait_for()
    workshop_dataset.reload()
    tagged = workshop_dataset.match_tags(workshop_dataset.distinct("audit_tags"))
    form.get_by_role("button", name=f"Show {len(tagged)} samples").click()
    form.get_by_role("button", name="Close").click()
    app.wait_for_grid_count(len(tagged))
