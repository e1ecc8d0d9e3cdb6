# SPDX-License-Identifier: Apache-2.0
"""The records of a search on disk, which are all that it remembers.

There is no other storage, such as a journal of Optuna's: proposals follow from
the outcomes, so a second copy could only disagree. Each file appears whole, in
whatever order trials end, so that another process can watch.
"""

import dataclasses
import pathlib

from tflite_opt.records import errors, search, serialization

_DESCRIPTION = "description.json"


@dataclasses.dataclass(frozen=True)
class Store:
    """The places of a search's records.

    Attributes:
        root: The folder `search` of a run directory.
        measured: What recipes gave; searches that differ in their proposals
            only may share it, one after the other.
    """

    root: pathlib.Path
    measured: pathlib.Path

    @property
    def baseline(self) -> pathlib.Path:
        """`Baseline`."""
        return self.root / "baseline.json"

    @property
    def result(self) -> pathlib.Path:
        """`SearchResult`; there when the search is over."""
        return self.root / "result.json"

    @property
    def base(self) -> pathlib.Path:
        """Run directory of the float32 variant that trials start from."""
        return self.measured / "base"

    @property
    def work(self) -> pathlib.Path:
        """Run directories of trials, one for each beginning of a recipe."""
        return self.measured / "work"

    @property
    def made(self) -> pathlib.Path:
        """A folder for each recipe's artifact and its `Variant`."""
        return self.measured / "made"

    def outcome(self, name: str) -> pathlib.Path:
        """`Outcome` of a recipe."""
        return self.measured / "outcomes" / f"{name}.json"

    def _proposal(self, number: int) -> pathlib.Path:
        return self.root / "trials" / f"{number:04}.json"

    @classmethod
    def open(cls, root: pathlib.Path) -> "Store":
        """Opens the records of a search.

        Raises:
            InputError: If there are none at `root`.
        """
        found = search.SearchDescription.load(root / _DESCRIPTION)
        return cls(root, found.measured or root)

    @classmethod
    def claim(
        cls,
        root: pathlib.Path,
        description: search.SearchDescription,
        shared: pathlib.Path | None = None,
    ) -> "Store":
        """Opens or begins the records of one search and no other.

        Args:
            root: Its place.
            description: What its trials depend on.
            shared: Where searches that differ in their proposals only share
                what recipes gave.

        Raises:
            InputError: If those at `root` are of another search.
        """
        if shared is not None:
            measured = shared.resolve() / description.measured_key()[:16]
            description = dataclasses.replace(description, measured=measured)
        if (root / _DESCRIPTION).exists():
            found = search.SearchDescription.load(root / _DESCRIPTION)
            _require_same(found, description, root)
        else:
            description.save(root / _DESCRIPTION)
        return cls.open(root)

    def keep(self, proposal: search.Proposal) -> None:
        """Writes a proposal down.

        Raises:
            InputError: If another recipe was proposed before.
        """
        path = self._proposal(proposal.number)
        if not path.exists():
            proposal.save(path)
        elif search.Proposal.load(path) != proposal:
            raise errors.InputError(
                f"Trial {proposal.number} must be proposed as it was before, "
                f"{search.Proposal.load(path).name}. Received: "
                f"{proposal.name}. Its record or an earlier outcome was "
                "changed; take --overwrite."
            )

    def trials(
        self,
    ) -> list[tuple[search.Proposal, search.Outcome | None]]:
        """Returns all proposals in order, with the outcomes there are."""
        proposals = [
            search.Proposal.load(path)
            for path in sorted((self.root / "trials").glob("*.json"))
        ]
        return [(x, self.find(x.name)) for x in proposals]

    def find(self, name: str) -> search.Outcome | None:
        """Returns the outcome of a recipe, if it has one."""
        path = self.outcome(name)
        return search.Outcome.load(path) if path.exists() else None


def _require_same(
    found: search.SearchDescription,
    ours: search.SearchDescription,
    root: pathlib.Path,
) -> None:
    for field in dataclasses.fields(ours):
        wanted, there = getattr(ours, field.name), getattr(found, field.name)
        if wanted != there:
            raise errors.InputError(
                f"{str(root)!r} holds a search with another "
                f"{field.name.replace('_', ' ')}: {_show(there)}. "
                f"Received: {_show(wanted)}. Take another --output_dir, or "
                "--overwrite."
            )


def _show(value: object) -> str:
    if isinstance(value, serialization.Record):
        value = {
            k: x
            for k, x in value.to_json().items()
            if k not in ("record", "schema_version")
        }
    return str(value)
