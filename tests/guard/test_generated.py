"""The same for services that nobody wrote down."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.guard.asking import differences, plain
from tests.guard.cases import container_names, serving
from tests.guard.conftest import Stage
from tests.guard.edits import SCALE, SETTINGS, YAML, Edit, can_be_edited, image_edit, renamed
from tests.guard.test_untouched import assert_nothing_changes
from tests.support.generated import services
from tests.support.manifests import Object
from tests.sweeps import IS_WHOLE

EXAMPLES = 300 if IS_WHOLE else 8
PAGES = {"settings": 0, "image": 0, "yaml": 0, "operate": 1, "traffic": 0, "env": 0}
Data = st.DataObject
tried = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


@tried
@given(raw=services(), data=st.data())
def test_an_untouched_form_of_a_generated_service_changes_nothing(
    stage: Stage, raw: Object, data: st.DataObject
) -> None:
    page = data.draw(st.sampled_from(sorted(PAGES)))
    container = data.draw(st.sampled_from(container_names(raw)))
    newline = data.draw(st.sampled_from(["\r\n", "\n"]))
    person = stage.show(raw)
    assert_nothing_changes(person, person.send(person.open(page, container, PAGES[page]), newline=newline))


@tried
@given(raw=services(), data=st.data())
def test_one_edit_of_a_generated_service_is_the_only_difference(stage: Stage, raw: Object, data: Data) -> None:
    edits: dict[str, tuple[Edit, ...]] = {
        "settings": SETTINGS,
        "operate": SCALE,
        "yaml": YAML,
        "image": (image_edit(serving(raw)),),
    }
    page = data.draw(st.sampled_from(sorted(edits)))
    container = data.draw(st.sampled_from(container_names(raw))) if page in ("settings", "image") else serving(raw)
    edit = data.draw(st.sampled_from(edits[page]))
    person = stage.show(raw)
    form = person.open(page, container, PAGES[page])
    if not can_be_edited(form, edit.field):
        return
    edit.type(form)
    wanted = edit.after(raw, container)
    answer = person.send(form)
    if answer.written is None:
        assert differences(plain(raw), plain(wanted)) == [], answer.complaints
    else:
        assert differences(plain(renamed(wanted, raw)), plain(renamed(answer.written, raw))) == []
