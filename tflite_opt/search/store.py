# SPDX-License-Identifier: Apache-2.0
"""The records of a search on disk, which are all that it remembers.

There is no other storage, such as a journal of Optuna's: proposals follow from
the outcomes, so a second copy could only disagree. Each file appears whole, in
whatever order trials end, so that another process can watch.
"""

import dataclasses
import pathlib

from tflite_opt.records import errors, search, serialization


@dataclasses.dataclass(frozen=True)
class Store:
    """The places of a search's records.

    Attributes:
        root: The folder `search` of a run directory.
    """

    root: pathlib.Path

    @property
    def description(self) -> pathlib.Path:
        """`SearchDescription`."""
        return self.root / "description.json"

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
        return self.root / "base"

    @property
    def work(self) -> pathlib.Path:
        """Run directories of trials, one for each beginning of a recipe."""
        return self.root / "work"

    @property
    def made(self) -> pathlib.Path:
        """A folder for each recipe's artifact and its `Variant`."""
        return self.root / "made"

    def outcome(self, name: str) -> pathlib.Path:
        """`Outcome` of a recipe."""
        return self.root / "outcomes" / f"{name}.json"

    def _proposal(self, number: int) -> pathlib.Path:
        return self.root / "trials" / f"{number:04}.json"

    def claim(self, description: search.SearchDescription) -> None:
        """Makes sure that the records here are, or will be, of this search.

        Raises:
            InputError: If they are of another one.
        """
        if not self.description.exists():
            description.save(self.description)
            return
        found = search.SearchDescription.load(self.description)
        for field in dataclasses.fields(description):
            ours = getattr(description, field.name)
            theirs = getattr(found, field.name)
            if ours != theirs:
                raise errors.InputError(
                    f"{str(self.root)!r} holds a search with another "
                    f"{field.name.replace('_', ' ')}: {_show(theirs)}. "
                    f"Received: {_show(ours)}. Take another --output_dir, or "
                    "--overwrite."
                )

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


def _show(value: object) -> str:
    if isinstance(value, serialization.Record):
        value = {
            k: x
            for k, x in value.to_json().items()
            if k not in ("record", "schema_version")
        }
    return str(value)
