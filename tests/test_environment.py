"""What `manage.py`, `make dev`, `make seed` and `make reset` do with the state folder of the embedded default."""

import importlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from console.run import __main__ as run
from console.run.environment import FILE, keep_environment, use_kept_environment
from console.run.reloading import LogTail
from console.run.supervisor import ROOT, CannotStart


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A terminal in which only the state folder is set."""
    for name in [name for name in os.environ if name.startswith("CONSOLE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path))
    return tmp_path


def test_what_a_start_found_out_is_found_by_manage_py(no_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSOLE_SECRET_KEY", "a key")
    monkeypatch.setenv("CONSOLE_CLUSTERS", "[]")
    keep_environment(no_settings)
    assert stat.S_IMODE((no_settings / FILE).stat().st_mode) == 0o600
    monkeypatch.delenv("CONSOLE_SECRET_KEY")
    monkeypatch.setenv("CONSOLE_CLUSTERS", '[{"name": "said here"}]')
    use_kept_environment()
    assert os.environ["CONSOLE_SECRET_KEY"] == "a key"
    assert os.environ["CONSOLE_CLUSTERS"] == '[{"name": "said here"}]', "what is set is not replaced"


def test_manage_py_works_on_the_keys_and_servers_of_the_start(
    no_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would look into an empty SQLite, and find that no key decrypts anything."""
    names = ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "ENCRYPTION_KEYS", "AUDIT_KEYS", "DATABASE_URL", "REDIS_URL")
    for name in names:
        monkeypatch.setenv(f"CONSOLE_{name}", f"the {name} of the start")
    keep_environment(no_settings)
    for name in names:
        monkeypatch.delenv(f"CONSOLE_{name}")
    use_kept_environment()
    assert [os.environ[f"CONSOLE_{name}"] for name in names] == [f"the {name} of the start" for name in names]


def test_the_key_of_a_start_that_kept_nothing_else_is_found(no_settings: Path) -> None:
    (no_settings / "secret.key").write_text("of long ago")
    use_kept_environment()
    assert os.environ["CONSOLE_SECRET_KEY"] == "of long ago"


def test_a_console_with_its_own_key_reads_no_kept_environment(
    no_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (no_settings / FILE).write_text(json.dumps({"CONSOLE_DEMO": "1"}))
    monkeypatch.setenv("CONSOLE_SECRET_KEY", "its own")
    use_kept_environment()
    assert "CONSOLE_DEMO" not in os.environ


def test_a_folder_of_somebody_else_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(CannotStart, match="nothing was removed"):
        run.refuse_foreign_folder(tmp_path)


def test_a_reset_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("key")
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "appendonly").write_text("data")
    run.refuse_foreign_folder(tmp_path)
    run.reset(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_each_whole_line_of_a_log_is_shown_once_with_its_process(tmp_path: Path) -> None:
    tail = LogTail("web", tmp_path / "web.log", color=36)
    assert tail.new_lines() == [], "nothing has been logged yet"
    with tail.path.open("w") as log:
        log.write("one\ntw")
        log.flush()
        assert [line.endswith("one") for line in tail.new_lines()] == [True]
        log.write("o\n")
        log.flush()
        assert [line.endswith("two") and "web |" in line for line in tail.new_lines()] == [True]


@pytest.mark.parametrize("url", ["https://console.example.com", "http://192.0.2.1:8000"])
def test_debug_pages_are_for_loopback_only(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CONSOLE_DEMO", "0")
    monkeypatch.setenv("CONSOLE_SECRET_KEY", "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnop")
    monkeypatch.setenv("CONSOLE_URL", url)
    done = subprocess.run(
        [sys.executable, "-c", "import console.development.settings"], cwd=ROOT, capture_output=True, text=True
    )
    assert "loopback only" in done.stderr, done.stderr


def test_the_settings_that_are_deployed_never_debug() -> None:
    settings = importlib.import_module("console.settings")
    assert settings.DEBUG is False
    assert "debug_toolbar" not in settings.INSTALLED_APPS
