"""Run `hat` as `python -m hatmanifesto`."""

from hatmanifesto.cli import main

raise SystemExit(main())
