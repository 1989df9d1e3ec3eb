"""Opens a finished run from its folder, and its data, without any machine that made it."""

from pathlib import Path
from typing import NamedTuple

from hatmanifesto.analytics.mids import Market
from hatmanifesto.apps.compose import open_tape
from hatmanifesto.apps.data import open_dataset
from hatmanifesto.apps.ending import Ending, read_endings
from hatmanifesto.apps.execute import market_of
from hatmanifesto.apps.provenance import Provenance
from hatmanifesto.apps.report_build import Analysis, RunIdentity
from hatmanifesto.apps.run_content import analyse_stored, identity_of
from hatmanifesto.apps.run_folder import LEDGER_PARQUET, Manifest, load_manifest, runs_folder
from hatmanifesto.apps.runs import list_runs
from hatmanifesto.apps.spec import RunSpec
from hatmanifesto.domain.errors import DataError, MismatchError
from hatmanifesto.store.atomic import sha256_file
from hatmanifesto.store.dataset import Dataset

UNSEALED = (
    f"{LEDGER_PARQUET} is not the file that the run left: what stands here rests on a changed "
    "ledger. See hat verify."
)


class StoredRun(NamedTuple):
    """A run as it lies on the disk; its data are opened only where mids are needed."""

    home: Path
    manifest: Manifest
    folder: Path
    endings: dict[str, Ending]

    @property
    def spec(self) -> RunSpec:
        """Return what was run."""
        return self.manifest.spec

    @property
    def origin(self) -> Provenance:
        """Return what it was made with, which need not be what runs now."""
        made = self.manifest
        return Provenance(made.spec.code_hash, made.lock_hash, made.commit, made.dirty)

    @property
    def is_sealed(self) -> bool:
        """Say whether the ledger is the one that the manifest names."""
        path = self.folder / LEDGER_PARQUET
        known = self.manifest.files.get(LEDGER_PARQUET)
        return path.is_file() and sha256_file(path) == known

    def identity(self, ties: str = "") -> RunIdentity:
        """Return what the journal does not say, under one order of ties."""
        return identity_of(self.spec, self.endings[ties or self.spec.tie_orders[0]])

    def materials(self, ties: str) -> tuple[RunIdentity, Market]:
        """Return identity and prices under one order of ties.

        Raises:
            DataError: if the data are missing, or not those the run ran on.
        """
        tape = open_tape(self.spec, self._dataset(), ties=ties)
        return self.identity(ties), market_of(tape, rows=self.endings[ties].rows)

    def _dataset(self) -> Dataset:
        dataset = open_dataset(self.spec.data, self.home)
        if dataset.dataset_hash != self.spec.dataset_hash:
            raise DataError(
                f"the data of {self.manifest.run_id} are not the ones it ran on",
                why=f"{dataset.dataset_hash} instead of {self.spec.dataset_hash}",
                fix="import the original files again",
            )
        return dataset

    def analyse(self, ties: str = "") -> Analysis:
        """Return the analysis under one order of ties, the headline's by default.

        Raises:
            MismatchError: if ledger or journal are damaged.
        """
        chosen = ties or self.spec.tie_orders[0]
        identity, market = self.materials(chosen)
        return analyse_stored(self.folder, chosen, identity, market, spec=self.spec)


def open_run(home: Path, run_id: str) -> StoredRun:
    """Return a run.

    Raises:
        DataError: if there is no such run.
        MismatchError: if its manifest or endings were changed.
    """
    manifest = load_manifest(home, run_id)
    if manifest.run_id != run_id:
        raise MismatchError(f"the manifest of {run_id} names run {manifest.run_id}")
    folder = runs_folder(home) / run_id
    endings = read_endings(folder)
    missing = [ties for ties in manifest.spec.tie_orders if ties not in endings]
    if missing:
        raise MismatchError(f"the endings of {run_id} do not tell of {missing[0]}")
    return StoredRun(home, manifest, folder, endings)


def newest_run(home: Path) -> str:
    """Return the id of the run that was made last.

    Raises:
        DataError: if there is none.
    """
    rows = list_runs(str(home))
    if not rows:
        raise DataError("there is no run in this home", fix="make one: hat demo")
    return str(rows[-1]["run_id"])
