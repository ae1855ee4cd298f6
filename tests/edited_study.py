"""A finished study and its checkout as copies, for tests to edit."""

import ast
import itertools
import json
import os
import re
from dataclasses import dataclass, field

import yaml

from tests.running import Workflow

TABLE_OF_MAPPINGS = "cortiscope/mappings/mappings.json"


@dataclass
class Edited:
    """A finished study and its checkout, both copies that an edit may change."""

    run: Workflow
    config: dict
    arguments: list = field(default_factory=list)

    def path(self, file):
        return self.run.folder / file

    def settings(self, section, **values):
        """Change entries of a section of the config."""
        self.config[section] = (self.config.get(section) or {}) | values

    def models(self, change):
        """Change the models table: a function of its lines, each a list of cells."""
        lines = [line.split("\t") for line in self.code("config/models.tsv").split("\n") if line]
        table = self.path("edited.tsv")
        table.write_text("".join("\t".join(line) + "\n" for line in change(lines)))
        self.settings("models", table=str(table))

    def cell(self, model, column, value):
        """Change one cell of the models table."""

        def change(lines):
            place = lines[0].index(column)
            for line in lines:
                line[place] = value if line[0] == model else line[place]
            return lines

        self.models(change)

    def own(self, model, text):
        """Have a network made by a file of the user's."""
        self.path("own.py").write_text(text)

        def change(lines):
            places = [lines[0].index(column) for column in ("source", "architecture")]
            for line in lines:
                if line[0] == model:
                    line[places[0]], line[places[1]] = "file", "own.py:build"
            return lines

        self.models(change)

    def code(self, file):
        return (self.run.repository / file).read_text()

    def write(self, file, text):
        (self.run.repository / file).write_text(text)

    def mapping_row(self, mapping):
        """That of a mapping in the table of mappings."""
        return json.loads(self.code(TABLE_OF_MAPPINGS))[mapping]

    def row(self, mapping, row):
        """Write a row of the table of mappings."""
        table = json.loads(self.code(TABLE_OF_MAPPINGS))
        self.write(TABLE_OF_MAPPINGS, json.dumps(table | {mapping: row}))

    def function(self, file):
        """Add a statement to the first function of a file: other code that does the same."""
        text = self.code(file)
        functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
        lines = text.splitlines(keepends=True)
        lines.insert(functions[0].body[-1].lineno - 1, "    edited = True\n")
        self.write(file, "".join(lines))

    def touch(self):
        """Date every file later than all before it: code, resources, results that are data."""
        start = int(self.path("resources/shapes/stimuli.nc").stat().st_mtime) + 9999
        later = itertools.count(start)
        for folder in (self.run.repository, self.path("resources"), self.path("results")):
            for file in sorted(folder.rglob("*")):
                if folder.name != "results" or file.suffix == ".nc":
                    date = next(later)
                    os.utime(file, (date, date))

    def pretend(self):
        """Take the study for finished as its config is now: its files are all there."""
        self._plan("--touch")

    def __call__(self, *more):
        """Run Snakemake."""
        return self.run.forked(*self.arguments, *more, config=self._config())

    def planned(self):
        """Rule to number of jobs in a dry run."""
        shown = self._plan("--dry-run", "--quiet", "rules")
        if "Nothing to be done" in shown:
            return {}
        table = shown.partition("Job stats:")[2].partition("Job stats:")[0]
        counts = {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", table, re.M)}
        assert sum(counts.values()) == 2 * counts.pop("total")
        assert counts.pop("all") == 1
        return counts

    def _config(self):
        if not self.config:
            return None
        self.path("edited.yaml").write_text(yaml.safe_dump(self.config))
        return self.path("edited.yaml")

    def _plan(self, *more):
        done = self(*more)
        assert done.returncode == 0, done.stdout
        return done.stdout
