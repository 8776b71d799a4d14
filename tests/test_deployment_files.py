"""docker-compose.yml and deploy/kubernetes as written: who gets which credentials, and what is on a command line."""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
from pathlib import Path

import pytest
import redis
import yaml

from tests.redis_server import STOP_SECONDS, program
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[1]
KUBERNETES = ROOT / "deploy/kubernetes"
SETTINGS = ROOT / "docs/operations.md"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
POLICIES = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/network-policies.yaml").read_text()))


def test_only_what_talks_to_the_cluster_gets_its_credentials() -> None:
    assert {name for name, service in COMPOSE.items() if "/kubeconfig:ro" in str(service.get("volumes"))} == {
        "web",
        "worker",
        "background",
        "watcher",
    }


def test_every_setting_of_the_documentation_reaches_the_containers() -> None:
    """Those that the image fixes, and those of a trial, stay out."""
    documented = set(re.findall(r"CONSOLE_[A-Z_]+", SETTINGS.read_text().split("Only for `make run`")[0]))
    shorthand = re.findall(r"`(CONSOLE_[A-Z]+)_[A-Z_]+`((?:, `_[A-Z_]+`)+)", SETTINGS.read_text())
    for prefix, rest in shorthand:  # `CONSOLE_OIDC_ISSUER`, `_CLIENT_ID`
        documented |= {f"{prefix}{name}" for name in re.findall(r"`(_[A-Z_]+)`", rest)}
    passed = {name for service in COMPOSE.values() for name in service.get("environment", {})}
    assert documented - passed == {
        "CONSOLE_STATE_DIR",
        "CONSOLE_STATIC_ROOT",
        "CONSOLE_DEMO",
        "CONSOLE_DEMO_HISTORY",
    }
    assert len(documented) > 40


def test_a_kubeconfig_of_one_user_is_read_as_that_user() -> None:
    for name, service in COMPOSE.items():
        if "/kubeconfig:ro" in str(service.get("volumes")):
            assert service["user"] == "${SLUICE_UID:-10001}:${SLUICE_GID:-10001}", name


def test_every_process_has_a_health_check_and_a_limit() -> None:
    lasting = {name: service for name, service in COMPOSE.items() if service["restart"] != "no"}
    assert len(lasting) == 7
    assert {name for name, service in lasting.items() if "healthcheck" not in service} == set()
    assert {name for name, service in COMPOSE.items() if "mem_limit" not in service} == set()


def test_no_password_is_on_a_command_line() -> None:
    for name, service in COMPOSE.items():
        for field in ("command", "healthcheck"):
            assert "PASSWORD" not in str(service.get(field, "")), name


def test_redis_asks_for_the_password_that_it_is_given_out_of_sight(tmp_path: Path) -> None:
    """The container's own command, with its $$ read as compose reads it."""
    binaries, data = tmp_path / "bin", tmp_path / "data"
    binaries.mkdir()
    data.mkdir()
    (binaries / "redis-server").symlink_to(program())
    conf = tmp_path / "redis.conf"
    words = [word.replace("$$", "$").replace("/tmp/redis.conf", str(conf)) for word in COMPOSE["redis"]["command"]]
    words[-1] += f" --port 0 --unixsocket {data}/redis.sock --dir {data}"
    environment = {"PATH": f"{binaries}:{os.environ['PATH']}", "REDISCLI_AUTH": "s3cret-of-redis"}
    with subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            right = redis.Redis(unix_socket_path=f"{data}/redis.sock", password="s3cret-of-redis")
            eventually(lambda: (data / "redis.sock").exists() and right.ping(), message="no answer")
            with pytest.raises(redis.exceptions.AuthenticationError):
                redis.Redis(unix_socket_path=f"{data}/redis.sock").ping()
            assert "s3cret-of-redis" not in Path(f"/proc/{process.pid}/cmdline").read_text()
            assert conf.stat().st_mode & 0o077 == 0
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def test_nothing_goes_out_to_a_metadata_service() -> None:
    open_to = [peer["ipBlock"] for rule in POLICIES[0]["spec"]["egress"] for peer in rule.get("to", ())]
    assert {block["cidr"] for block in open_to} == {"0.0.0.0/0", "::/0"}
    spared = {net for block in open_to for net in block["except"]}
    assert {"169.254.0.0/16", "168.63.129.16/32", "100.100.100.200/32", "fd00:ec2::254/128"} <= spared
    for rule in POLICIES[0]["spec"]["egress"]:
        assert "to" in rule or {port["port"] for port in rule["ports"]} == {53}


def test_a_component_names_each_of_its_files() -> None:
    for path in KUBERNETES.glob("*/kustomization.yaml"):
        files = {one.name for one in path.parent.glob("*.yaml")} - {"kustomization.yaml"}
        assert set(yaml.safe_load(path.read_text())["resources"]) == files, path
        assert f"- {path.parent.name}" in (KUBERNETES / "kustomization.yaml").read_text(), path


def test_each_image_is_named_in_one_place_where_a_digest_can_be_set() -> None:
    """compose: by a variable; the Dockerfile: by one argument; Kubernetes: by the kustomization."""
    images = {service["image"] for service in COMPOSE.values()}
    assert all(re.fullmatch(r"\$\{[A-Z]+_IMAGE:-[^}]+\}", image) for image in images), images
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert set(bases) == {"${PYTHON_IMAGE}"}
    assert COMPOSE["web"]["build"]["args"].keys() == {"PYTHON_IMAGE"}
    kustomizations = [yaml.safe_load(path.read_text()) for path in KUBERNETES.rglob("kustomization.yaml")]
    named = {each["name"] for one in kustomizations for each in one.get("images", ())}
    manifests = "\n".join(path.read_text() for path in KUBERNETES.rglob("*.yaml"))
    used = re.findall(r"^[\s-]*image: *(\S+)", manifests, re.MULTILINE)
    assert len(used) > 5
    assert set(used) == named, "without a tag: a kustomization alone has it"


def _documented(after: str) -> str:
    """The first block of commands after this text of docs/operations.md."""
    rest = SETTINGS.read_text().partition(after)[2]
    block = re.search(r"(?:^    .*\n)+", rest, re.MULTILINE)
    assert block, f"no commands after {after!r}"
    return textwrap.dedent(block[0])


def test_the_documented_environment_is_all_that_compose_requires_and_fits_into_urls(tmp_path: Path) -> None:
    """The commands up to the first of docker, run as they are written."""
    commands = _documented("**docker compose.** In a clone").partition("docker compose")[0]
    subprocess.run(["bash", "-euc", commands], cwd=tmp_path, check=True, timeout=STOP_SECONDS)
    made = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines())
    required = set(re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "docker-compose.yml").read_text()))
    assert made.keys() == required
    assert all(re.fullmatch(r"[0-9a-f]{32,}", made[name]) for name in required if name.endswith("PASSWORD"))
    assert len(made["CONSOLE_SECRET_KEY"]) >= 50
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0


def test_the_documented_installation_makes_the_namespace_before_its_secret_and_waits_for_the_right_job() -> None:
    commands = _documented("**Kubernetes.** Build the image")
    assert commands.index("namespace.yaml") < commands.index("create secret") < commands.index("apply -k")
    job = yaml.safe_load((KUBERNETES / "migrate.yaml").read_text())["metadata"]["name"]
    assert set(re.findall(r"job/(\S+)", SETTINGS.read_text().replace("`", " ").replace(")", " "))) == {job}


def test_documented_commands_name_services_and_deployments_that_exist() -> None:
    text = SETTINGS.read_text()
    for names in re.findall(r"docker compose (?:stop|exec(?: -T)?|logs|run --rm) ([a-z ]+)", text):
        assert names.split()[0] in COMPOSE, names
    for names in re.findall(r"docker compose stop ([a-z ]+)", text):
        assert set(names.split()) <= COMPOSE.keys(), names
    there = {
        one["metadata"]["name"]
        for path in KUBERNETES.glob("*.yaml")
        for one in yaml.safe_load_all(path.read_text())
        if "metadata" in one
    }
    named = set(re.findall(r"deploy(?:ment)?/(sluice-[a-z]+)", text)) | set(
        re.findall(r"(?<= )sluice-[a-z]+(?= )", text)
    )
    assert named <= there, named - there


def test_nothing_that_is_documented_writes_a_file_inside_a_container() -> None:
    """Their root is read-only, and the image has no programs of PostgreSQL: `>` is of the shell outside."""
    assert all(COMPOSE[name]["read_only"] for name in ("worker", "web"))
    block = _documented("**In docker compose and Kubernetes**")
    assert block.count("exec -T") == block.count(">> sluice") + block.count(" > sluice") == 3
    assert "exec -T postgres pg_dump" in block
