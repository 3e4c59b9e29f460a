"""`make up`: Airflow's api-server, scheduler and dag-processor, and MLflow's page, on 127.0.0.1, in the foreground.

Usage: python scripts/up.py
"""

import os
import sys
from pathlib import Path

from rich.console import Console

from recthinker.cli.up.run import up
from recthinker.errors import RecThinkerError
from recthinker.settings import load_settings


def main() -> int:
    """0 when it was told to end, or is up already."""
    console = Console(soft_wrap=True, highlight=False)
    try:
        up(load_settings(), Path(__file__).resolve().parents[1], os.environ, console)
    except RecThinkerError as error:
        console.out(f"make up stopped: {error}", highlight=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
