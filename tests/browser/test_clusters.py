"""A second cluster is added from a kubeconfig, worked with and removed, while the four processes run on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.story import apply, timeline
from tests.console_process import RunningConsole
from tests.sandbox_process import Sandbox, sandbox


@pytest.fixture(scope="module")
def edge() -> Iterator[Sandbox]:
    with sandbox(seed="demo", speed=20) as box:
        yield box


def test_a_cluster_comes_and_goes_without_a_restart(
    visitor: Visitor, running: RunningConsole, edge: Sandbox, tmp_path: Path
) -> None:
    page = visitor.page
    visitor.sign_in("admin").go("/clusters/")
    expect(page.get_by_role("link", name="sandbox", exact=True)).to_be_visible()
    page.get_by_role("link", name="Add cluster").click()

    # A kubeconfig fills the form; its token is in no page, also not when the address is wrong at first.
    page.fill("[name=kubeconfig]", edge.kubeconfig(tmp_path / "config").read_text())
    page.get_by_role("button", name="Parse").click()
    expect(page.locator("[name=url]")).to_have_value(edge.tls_url)
    page.fill("[name=name]", "edge")
    page.fill("[name=url]", "https://no-such-host.invalid:6443")
    page.get_by_role("button", name="Test and save").click()
    expect(page.get_by_text("The host name could not be resolved.")).to_be_visible()
    assert edge.token not in page.content()
    visitor.keep("cluster-01-refused")
    page.fill("[name=url]", edge.tls_url)
    page.fill("[name=ingress]", f"{edge.ingress_host}:{edge.ingress_port}")
    page.get_by_role("button", name="Test and save").click()
    page.wait_for_url(re.compile("/cluster/edge/$"))
    expect(page.get_by_text("Connected. Knative Serving found.")).to_be_visible()

    # The watcher mirrors it, the worker changes a service there.
    visitor.go("/?cluster=edge&q=hello")
    expect(page.get_by_role("link", name="hello", exact=True)).to_have_count(1)
    visitor.keep("cluster-02-services")
    visitor.go("/services/edge/default/hello/image/")
    page.fill("[name=image]", "gcr.io/knative-samples/helloworld-rust")
    apply(visitor)
    assert "Ready to serve." in timeline(visitor)[0]
    hello = edge.get("/apis/serving.knative.dev/v1/namespaces/default/services/hello")
    assert hello["spec"]["template"]["spec"]["containers"][0]["image"].startswith(
        "gcr.io/knative-samples/helloworld-rust"
    )

    # It goes, and with it everything that was shown of it.
    visitor.go("/cluster/edge/remove/")
    page.get_by_role("button", name="Remove").click()
    page.wait_for_url(re.compile("/clusters/$"))
    visitor.go("/")
    expect(page.get_by_role("link", name="hello", exact=True)).to_have_count(1)  # the list follows by itself
    visitor.go("/")
    expect(page.locator("[name=cluster]")).to_have_count(0)

    written = [path for path in running.state.rglob("*") if path.is_file()]
    assert len(written) > 5
    assert [path.name for path in written if edge.token.encode() in path.read_bytes()] == []
