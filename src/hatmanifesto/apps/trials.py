"""`hat trials check`: the chain of the trial ledger, and that no run is missing from it."""

from pathlib import Path

from hatmanifesto.apps.run_folder import MANIFEST, load_manifest, runs_folder
from hatmanifesto.domain.errors import MismatchError
from hatmanifesto.store.trials import Trial, read_trials


def check_trials(home: Path) -> tuple[Trial, ...]:
    """Return the trials after checking their chain against the runs that lie in the home.

    The chain shows every edit but cannot show that its newest trials were cut off; a run whose
    trial is missing does.

    Raises:
        MismatchError: if the chain is broken, or a run has no trial.
    """
    trials = tuple(read_trials(home))
    known = {(trial.run_id, trial.manifest_hash) for trial in trials}
    for path in sorted(runs_folder(home).glob(f"*/{MANIFEST}")):
        manifest = load_manifest(home, path.parent.name)
        if (manifest.run_id, manifest.seal) not in known:
            raise MismatchError(
                f"run {manifest.run_id} has no trial",
                why="the trial ledger was cut short, or belongs to another home",
                fix="restore HOME/trials from a backup",
            )
    return trials
