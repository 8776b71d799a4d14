"""What leaves the console so that others can check the log without it."""

from pathlib import Path

VERIFIER = Path(__file__).with_name("verify_sluice_audit.py")
