"""Settings in a real browser: texts that HTML changes on the way are no change, and one field changes one field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.test_script import ask
from tests.console_process import RunningConsole

AUTOSCALING = "autoscaling.knative.dev/"
SCRIPT = "set -e\r\n./migrate\vall\u2028\nexec ./server\n"
SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services"


def hard() -> dict[str, Any]:
    """A service of texts that inputs do not carry, in every field that shows one."""
    annotations = {
        f"{AUTOSCALING}class": "hpa.autoscaling.knative.dev",
        f"{AUTOSCALING}metric": "queue_depth",
        f"{AUTOSCALING}minScale": "+1",
        f"{AUTOSCALING}max-scale": "010",
        f"{AUTOSCALING}target": "0.7",
        "Example.COM/Note": "one\ntwo\u0085 ",
    }
    container = {
        "image": "gcr.io/knative-samples/helloworld-go",
        "command": ["/bin/sh", "-c"],
        "args": [SCRIPT, "", " ", '"quoted"', "\u200b"],
        "livenessProbe": {"exec": {"command": ["sh", "-c", "set -e\ntest -f /tmp/ok"]}},
        "readinessProbe": {"httpGet": {"path": "/", "httpHeaders": [{"name": "Host", "value": "x"}]}},
        "volumeMounts": [{"name": "keys", "mountPath": "/keys", "readOnly": True}],
        "envFrom": [{"prefix": "A_", "secretRef": {"name": "db", "optional": True}}],
    }
    volumes = [{"name": "keys", "projected": {"sources": [{"secret": {"name": "db", "optional": True}}]}}]
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "hard", "namespace": "default", "annotations": {"Example.COM/Note": "one\ntwo"}},
        "spec": {
            "template": {
                "metadata": {"annotations": annotations},
                "spec": {"containers": [container], "volumes": volumes},
            }
        },
    }


@pytest.mark.parametrize(("page", "field"), [("settings", "timeout"), ("operate", "activation")])
def test_a_browser_sends_back_what_it_was_shown(
    visitor: Visitor, running: RunningConsole, page: str, field: str
) -> None:
    name = f"hard-{page}"
    service = hard()
    service["metadata"]["name"] = name
    ask(json.loads((running.state / "sandbox.json").read_text()), "POST", SERVICES, service)
    visitor.sign_in("admin")
    path = f"/services/sandbox/default/{name}/"
    visitor.page.wait_for_function("async (path) => (await fetch(path)).ok", arg=path)
    visitor.go(f"{path}{page}/")
    form = visitor.page.locator("form").filter(has=visitor.page.locator(f"[name={field}]"))
    form.locator("button.btn-primary[data-once]").click()
    expect(visitor.page.get_by_text("Nothing was changed.")).to_be_visible()
    visitor.page.locator(f"[name={field}]").fill("7")  # below max-scale
    box = form.locator("[name=keep_digest]")
    if box.count():
        box.uncheck()
    form.locator("button.btn-primary[data-once]").click()
    rows = visitor.page.locator("table").filter(has_text="Before").locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("timeoutSeconds" if page == "settings" else "activation-scale")
    visitor.go(f"{path}{page}/").keep(f"hard-{page}")
