"""`python -m console.sandbox`: the command line of the sandbox."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from console.sandbox.knative.version import NEWEST, RELEASES, Version
from console.sandbox.knative.version import parse as parse_version
from console.sandbox.server import Options, serve


def main() -> int:
    """Run until SIGTERM or SIGINT; returns the exit code (2: an option or file is wrong)."""
    options = parse(sys.argv[1:])
    try:
        asyncio.run(serve(options))
    except (ValueError, OSError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    return 0


def parse(arguments: list[str]) -> Options:
    """The options; exits with a usage message for wrong ones."""
    parser = argparse.ArgumentParser(prog="python -m console.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address of the API (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="port of the API; 0 takes a free one")
    parser.add_argument("--tls-port", type=_port, default=0, help="port of the API over TLS; 0 takes a free one")
    parser.add_argument("--ingress-host", default="127.0.0.1", help="address of the ingress (default: %(default)s)")
    parser.add_argument("--ingress-port", type=_port, default=0, help="port of the ingress; 0 takes a free one")
    parser.add_argument("--speed", type=_positive, default=1.0, help="how much faster than life (default: 1)")
    parser.add_argument("--seed", default="", help="fill a new cluster: demo, empty or capacity:N,M")
    parser.add_argument(
        "--knative",
        type=_version,
        default=NEWEST,
        help=f"the Knative Serving to speak as: {' or '.join(map(str, RELEASES))} (default: %(default)s)",
    )
    parser.add_argument("--ready-file", type=Path, help="write url, ingress and token there as JSON when ready")
    parser.add_argument("--kubeconfig", type=Path, help="write a kubeconfig for kubectl and kn there when ready")
    parser.add_argument("--state", type=Path, help="keep the cluster in this file")
    parser.add_argument("--token-file", type=Path, help='JSON list or CSV (token,user,uid,"groups")')
    parser.add_argument(
        "--idle-seconds", type=_positive, default=60.0, help="scale to zero after so long (default: 60, before --speed)"
    )
    parser.add_argument(
        "--initial-scale", type=_count, default=1, help="pods that a new revision starts with (default: 1)"
    )
    parser.add_argument(
        "--progress-deadline-seconds",
        type=_positive,
        default=600.0,
        help="a revision that is not ready by then has failed (default: 600, before --speed)",
    )
    parser.add_argument(
        "--bookmark-seconds", type=_positive, default=30.0, help="a watch's bookmark in quiet times (default: 30)"
    )
    return Options(**vars(parser.parse_args(arguments)))


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is no port")
    return port


def _version(text: str) -> Version:
    try:
        return parse_version(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return number


def _positive(text: str) -> float:
    number = float(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


if __name__ == "__main__":
    sys.exit(main())
