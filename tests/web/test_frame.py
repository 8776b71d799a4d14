"""The part of the frame that a process keeps has the nonce of the answer that it is in."""

from __future__ import annotations

import re


def test_every_script_has_the_nonce_of_its_own_answer(client, mirror, people) -> None:
    client.force_login(people["owner"])
    nonces = set()
    for path in ("/", "/operations/", "/"):
        answer = client.get(path)
        [allowed] = re.findall(r"'nonce-([^']+)'", answer["Content-Security-Policy"])
        scripts = re.findall(r"<script [^>]*>", answer.content.decode())
        assert len(scripts) > 20
        assert all(f'nonce="{allowed}"' in script for script in scripts)
        nonces.add(allowed)
    assert len(nonces) == 3
