"""What people type wrong: refused beside the field, with nothing lost and nothing written."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from console.cluster.resources import SERVICES
from console.operations.models import Operation, Preview
from console.request_tests.models import AccessTest
from tests.broker import broker
from tests.web.pages import read

SHOP = "/services/box/default/shop/"


@pytest.fixture
def owner(client, mirror, people):
    client.force_login(people["owner"])
    yield client
    assert not Preview.objects.exists()
    assert not Operation.objects.exists()


def env(*rows: tuple[str, str], **more: str) -> dict[str, str]:
    """A posted table: the three variables that exist, kept, and the given new ones."""
    data = {"rows": str(3 + len(rows)), "container": "app", "resource_version": "100"}
    for index, name in enumerate(("TARGET", "PASSWORD", "DB")):
        data |= {f"exists-{index}": "1", f"name-{index}": name, f"action-{index}": "keep", f"value-{index}": ""}
    for index, (name, value) in enumerate(rows, start=3):
        data |= {f"name-{index}": name, f"value-{index}": value, f"source-{index}": ""}
    return data | more


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("", "value")], "An environment variable needs a name."),
        ([("TARGET", "again")], "“TARGET” is listed twice. Remove one."),
        ([("NEW", "1"), ("NEW", "2")], "“NEW” is listed twice. Remove one."),
        ([("PORT", "80")], "“PORT” is reserved: Knative sets it itself."),
        ([("K_SERVICE", "x")], "“K_SERVICE” is reserved: Knative sets it itself."),
        ([("1BAD NAME", "x")], "“1BAD NAME” is not a valid variable name"),
        ([("BIG", "x" * 1_048_577)], "The value is 1048577 bytes long"),
    ],
)
def test_a_wrong_variable_is_refused_beside_its_row(owner, rows: list[tuple[str, str]], message: str) -> None:
    response = owner.post(f"{SHOP}env/", env(*rows))
    assert response.status_code == 422
    assert message in read(response).text
    for name, value in rows:
        assert f'value="{name}"' in response.content.decode()
        assert f">\n{value}</textarea>" in response.content.decode()


def test_a_pasted_file_names_the_line_that_is_wrong(owner) -> None:
    response = owner.post(f"{SHOP}env/", env(paste="GOOD=1\n# comment\nno equals sign\nPORT=80"))
    text = read(response).text
    assert response.status_code == 422
    assert "Line 3 is not valid NAME=value." in text
    assert "“PORT” is reserved" in text
    assert "no equals sign" in text


@pytest.mark.parametrize("image", ["", "UPPER/Case", "with space", "name:tag:tag", "name@sha256:short", "https://x/y"])
def test_a_bad_image_reference_is_refused(owner, image: str) -> None:
    response = owner.post(f"{SHOP}image/", {"image": image, "container": "app"})
    assert response.status_code == 422
    assert "image" in read(response).text
    assert f'value="{image}"' in response.content.decode()


def split(*rows: tuple[str, str, str]) -> dict[str, str]:
    data = {"rows": str(len(rows)), "resource_version": "100"}
    for index, (name, percent, tag) in enumerate(rows):
        data |= {f"name-{index}": name, f"percent-{index}": percent, f"tag-{index}": tag}
    return data


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("shop-00003", "50", ""), ("shop-00004", "60", "")], "Percentages add up to 110. They must total 100."),
        ([("shop-00003", "-1", ""), ("shop-00004", "101", "")], "-1 is not between 0 and 100."),
        ([("shop-00003", "101", "")], "101 is not between 0 and 100."),
        ([("shop-00003", "33.3", ""), ("shop-00004", "66.7", "")], "“33.3” is not a whole number"),
        ([("shop-00003", "all", "")], "“all” is not a whole number"),
        ([("shop-00099", "100", "")], "The revision shop-00099 does not exist."),
        ([("shop-00003", "50", "blue"), ("shop-00004", "50", "blue")], "The tag “blue” is listed twice."),
        ([("shop-00003", "100", "Blue")], "“Blue” is not a valid tag."),
        ([("shop-00003", "0", "")], "Percentages add up to 0. They must total 100."),
    ],
)
def test_a_wrong_split_is_refused_beside_its_field(owner, rows: list[tuple[str, str, str]], message: str) -> None:
    response = owner.post(f"{SHOP}traffic/", split(*rows))
    assert response.status_code == 422
    assert message in read(response).text
    for _, percent, tag in rows:
        assert f'value="{percent}"' in response.content.decode()
        assert f'value="{tag}"' in response.content.decode()


def test_a_preset_says_before_the_press_which_revision_gets_what(owner) -> None:
    page = owner.get(f"{SHOP}traffic/")
    for words in (
        "Canary 10%: shop-00004 10%, shop-00003 90%",
        "Canary 5%: shop-00004 5%, shop-00003 95%",
        "50/50: shop-00004 50%, shop-00003 50%",
        "Latest 100%: @latest (now shop-00004) 100%",
    ):
        assert words in read(page).text.replace(" : ", ": ")
    pressed = owner.post(f"{SHOP}traffic/", {"preset": "canary-10", "rows": "0"}).content.decode()
    shown = re.findall(r'name="name-\d+"\s+value="([^"]+)".*?name="percent-\d+"\s+value="(\d*)"', pressed, re.DOTALL)
    assert {name: percent for name, percent in shown if percent not in ("", "0")} == {
        "shop-00004": "10",
        "shop-00003": "90",
    }


def test_one_error_of_a_split_has_one_message(owner) -> None:
    response = owner.post(f"{SHOP}traffic/", split(("shop-00003", "50", ""), ("shop-00004", "40", "")))
    assert read(response).text.count("Percentages add up to 90. They must total 100.") == 1
    assert response.content.decode().count("must total 100") == 2, "once more for the script that counts along"


def test_a_service_that_was_deleted_meanwhile_is_not_found(owner, mirror) -> None:
    mirror.replace_all(SERVICES, [])
    response = owner.post(f"{SHOP}env/", env(("NEW", "1")))
    assert response.status_code == 404
    assert "it may have been deleted" in read(response).text


def test_yaml_with_a_problem_says_its_line_to_the_editor_and_keeps_what_there_was(owner) -> None:
    page = owner.post(f"{SHOP}yaml/", {"manifest": "a: 1\nb: [1\nc: 2"}).content.decode()
    assert 'data-line="3"' in page
    (original,) = re.findall(r"(?s)<template data-yaml-original>(.*?)</template>", page)
    assert original.startswith("apiVersion: serving.knative.dev/v1")
    fresh = owner.get(f"{SHOP}yaml/").content.decode()
    assert "data-line=" not in fresh
    assert "data-yaml-original" not in fresh, "the manifest is sent once"


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("a: &x [1]\nb: *x", "Line 2 has a YAML alias (*name). Write out what it refers to."),
        ("a: 1\na: 2", "the key a is listed twice"),
        ("[" * 60 + "]" * 60, "The YAML is nested 60 levels deep; at most 50 are accepted."),
        ("[" * 50_000, "This is not valid YAML"),
        ("- a list", "expected a mapping"),
        ("a: 'open", "This is not valid YAML"),
        ("a:\n  b: 1\n c: 2", "Check the indentation of this line and the lines above"),
        ("a:\n  - b\n  c: 1", "Check the indentation of this line and the lines above"),
        ("a: b\n  c: 1", "Check the indentation of this line and the lines above"),
        ("a: " + "x" * 300_000, "The YAML has 300003 bytes; at most 262144 are accepted."),
    ],
)
def test_hostile_yaml_is_refused(owner, manifest: str, message: str) -> None:
    response = owner.post(f"{SHOP}yaml/", {"manifest": manifest})
    assert response.status_code == 422
    assert message in read(response).text


@pytest.mark.parametrize("page", ["env", "image", "settings"])
def test_a_form_about_a_container_that_is_gone_means_no_other(owner, page: str) -> None:
    typed = {"container": "gone", "image": "nginx:1", "timeout": "77", "rows": "1", "name-0": "NEW", "value-0": "1"}
    assert owner.post(f"{SHOP}{page}/", typed).status_code == 404


def test_settings_out_of_range_are_refused(owner) -> None:
    typed = {"container": "app", "concurrency": "-5", "timeout": "601", "cpu_limit": "x"}
    response = owner.post(f"{SHOP}settings/", typed)
    assert response.status_code == 422
    text = read(response).text
    assert "greater than or equal to 0" in text
    assert "This cluster accepts at most 600." in text
    assert "“x” is not a valid quantity" in text


@pytest.mark.parametrize("count", ["0", "201", "many", ""])
def test_an_access_test_sends_one_to_two_hundred_requests(owner, count: str) -> None:
    assert owner.post(f"{SHOP}test/", {"count": count}).status_code == 422


def test_an_access_test_goes_to_the_service_or_to_one_of_its_tags(owner) -> None:
    with broker("memory://"):
        page = read(owner.get(f"{SHOP}test/?tag=canary"))
        assert owner.post(f"{SHOP}test/", {"count": "5", "tag": "nobody"}).status_code == 422
        owner.post(f"{SHOP}test/", {"count": "5", "tag": "canary"})
    assert "canary (shop-00004): http://canary-shop.default.example.com" in page.text
    test = AccessTest.objects.get()
    assert (test.url, test.wanted) == ("http://canary-shop.default.example.com", {"shop-00004": 100})


def test_responses_are_counted_by_their_http_status(owner) -> None:
    test = AccessTest.objects.create(
        cluster="box", namespace="default", name="shop", url="http://shop.default.example.com", count=9, sent=9,
        failed=4, by_revision={"shop-00004": 5}, by_status={"200": 5, "503": 3, "0": 1}, finished_at=timezone.now(),
    )  # fmt: skip
    text = read(owner.get(f"{SHOP}test/{test.id}/")).text
    assert "No response 1 200 OK 5 503 Service Unavailable 3" in text


def test_a_second_access_test_waits_for_the_first_and_says_so(owner) -> None:
    with broker("memory://"):
        running = owner.post(f"{SHOP}test/", {"count": "5"}).url
        answer = owner.post(f"{SHOP}test/", {"count": "7"})
    assert answer.status_code == 429
    assert "You already have a test running on this service." in read(answer).text
    assert running in read(answer).links
    assert 'value="7"' in answer.content.decode()


def test_a_delete_needs_the_name_typed(owner) -> None:
    response = owner.post(f"{SHOP}delete/", {"confirm": "Shop"})
    assert response.status_code == 422
    assert "Type the service's name, shop, to confirm." in read(response).text


def test_a_form_without_its_token_is_refused(mirror, people) -> None:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(people["owner"])
    for path in ("env/", "traffic/", "image/", "delete/", "test/"):
        assert client.post(f"{SHOP}{path}", {}).status_code == 403
