#!/usr/bin/env python
"""Django's command line for the console."""

import os
import sys


def main() -> None:
    from console.run.environment import use_kept_environment

    use_kept_environment()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
