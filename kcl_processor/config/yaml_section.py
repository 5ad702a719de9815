"""Reading YAML key by key, so that every complaint can name the file, the line and the key."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

import yaml

from kcl_processor.config.form import Form, shown
from kcl_processor.errors import ConfigError

_MERGE = "tag:yaml.org,2002:merge"
_NULL = "tag:yaml.org,2002:null"
# Keys of the file, beside ``tasks``, that hold nothing but what ``<<`` takes over.
_SHELF = "x-"
_BEGIN = "tasks: {orders: {source: {region: …, table: …}, destination: {region: …, table: …}}}"


def read_yaml(path: Path) -> Section:
    """The whole file as one section.

    Raises:
        ConfigError: it cannot be read, is not YAML, or is not a mapping.
    """
    return Section(path, "", compose(path), 1)


def compose(path: Path) -> yaml.Node:
    """The whole file as YAML's nodes; what ``<<`` names stands in its place.

    Raises:
        ConfigError: it cannot be read, or is not YAML.
    """
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}.", "name the file with -c FILE"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {error}.", "mend the file at that place") from error
    except RecursionError:
        raise ConfigError(
            f"{path} is nested too deep.",
            "a task has sections of keys, and few of these hold a list",
        ) from None
    if node is None:
        raise ConfigError(f"{path} is empty.", _BEGIN)
    _merge(path, node, set())
    return node


def _merge(path: Path, node: yaml.Node, done: set[int]) -> None:
    """Put what ``<<`` names in its place, below a node; each mapping once, whoever names it."""
    if id(node) in done or not isinstance(node, yaml.CollectionNode):
        return
    done.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for inner in node.value:
            _merge(path, inner, done)
    if isinstance(node, yaml.MappingNode):
        for _, inner in node.value:
            _merge(path, inner, done)
        node.value = _merged(path, node)


def _merged(path: Path, node: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
    """The pairs of a mapping behind those that it takes over and does not have."""
    own = [pair for pair in node.value if pair[0].tag != _MERGE]
    names = {str(key.value) for key, _ in own}
    taken: dict[str, tuple[yaml.Node, yaml.Node]] = {}
    for key, named in node.value:
        if key.tag != _MERGE:
            continue
        for other in named.value if isinstance(named, yaml.SequenceNode) else [named]:
            if not isinstance(other, yaml.MappingNode):
                where = f"{path}:{key.start_mark.line + 1}"
                raise ConfigError(f"{where}: <<: is not of a mapping.", "<<: *anchor")
            for pair in other.value:
                if pair[0].tag != _MERGE and str(pair[0].value) not in names:
                    taken.setdefault(str(pair[0].value), pair)
    return [*taken.values(), *own]


class Section:
    """One mapping of the file, read key by key; what nobody asked for is an error."""

    def __init__(self, path: Path, name: str, node: yaml.Node, line: int) -> None:
        self._path = path
        self._name = name
        self._line = line
        self._asked: list[str] = []
        self._values: dict[str, yaml.Node] = {}
        self._lines: dict[str, int] = {}
        if not isinstance(node, yaml.MappingNode):
            raise self.error(None, "it is not a mapping", "key: value lines")
        for key, value in node.value:
            name = str(key.value)
            twice = name in self._lines
            self._lines[name] = key.start_mark.line + 1
            if twice:
                raise self.error(name, f"the key {name!r} stands twice", "keep one")
            self._values[name] = value

    def where(self) -> str:
        return f"{self._path}:{self._line}"

    def error(self, key: str | None, reason: str, hint: str) -> ConfigError:
        place = ".".join(part for part in (self._name, key) if part)
        line = self._lines.get(key or "", self._line)
        return ConfigError(f"{self._path}:{line}: {place or 'file'}: {reason}.", hint)

    def error_in(self, key: str, reason: str, hint: str, place: int | None = None) -> ConfigError:
        """An error of a value, which names the column, too.

        Args:
            place: of the value in its list, from 0.
        """
        node = self._values[key] if place is None else self._values[key].value[place]
        start = node.start_mark
        where = f"{self._path}:{start.line + 1}:{start.column + 1}"
        return ConfigError(f"{where}: {self._name}.{key}: {reason}.", hint)

    def names(self) -> list[str]:
        return list(self._values)

    def finish(self, known: Iterable[str] = ()) -> None:
        """Refuse keys that nobody asked for."""
        known = [*self._asked, *known]
        for key in self._values:
            is_shelf = not self._name and key.startswith(_SHELF)
            if key not in known and not is_shelf:
                hint = nearest(key, known) or f"one of: {', '.join(sorted(set(known)))}"
                raise self.error(key, f"the key {key!r} is not known", hint)

    def section(self, key: str, *, required: bool = True) -> Section:
        name = f"{self._name}.{key}" if self._name else key
        node = self._take(key, required=required)
        if node is None or node.tag == _NULL:
            node = yaml.MappingNode("tag:yaml.org,2002:map", [])
        return Section(self._path, name, node, self._lines.get(key, self._line))

    def sections(self, key: str) -> list[Section]:
        """A list of sections; empty if it is not there."""
        node = self._take(key, required=False)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            raise self.error_in(key, "a list is wanted here", f"{key}: [{{…}}, {{…}}]")
        return [
            self._listed(f"{self._name}.{key}", place, node) for place in range(len(node.value))
        ]

    def _listed(self, name: str, place: int, node: yaml.SequenceNode) -> Section:
        item = node.value[place]
        return Section(self._path, f"{name}[{place}]", item, item.start_mark.line + 1)

    def is_section(self, key: str) -> bool:
        """Whether there is a mapping under a key that may be a text, too."""
        return isinstance(self._values.get(key), yaml.MappingNode)

    def named_or_listed(self, key: str) -> list[tuple[str | None, Section]]:
        """A mapping of name to section, or a list of sections that have no name."""
        node = self._take(key, required=True)
        assert node is not None
        if isinstance(node, yaml.SequenceNode):
            return [(None, self._listed(key, place, node)) for place in range(len(node.value))]
        tasks = self.section(key)
        if not tasks.names():
            raise self.error(key, "there is no task", _BEGIN)
        return [(name, tasks.section(name)) for name in tasks.names()]

    def text(self, key: str, form: Form | None = None) -> str | None:
        """A text, if there is one; one that is not empty is of that form."""
        node = self._take(key, required=False)
        if node is None or node.tag == _NULL:
            return None
        if not isinstance(node, yaml.ScalarNode):
            raise self.error(key, "a text is wanted here", f"{key}: text")
        if node.tag.startswith("!"):
            raise self.error_in(key, f"{node.tag} is a tag to YAML", "put the text into quotes")
        value = str(node.value)
        return self._of(form, key, value) if form and value else value

    def texts(self, key: str) -> list[str]:
        """A list of texts; empty if it is not there."""
        node = self._take(key, required=False)
        if node is None:
            return []
        is_list = isinstance(node, yaml.SequenceNode)
        if not is_list or not all(isinstance(one, yaml.ScalarNode) for one in node.value):
            raise self.error_in(key, "a list of texts is wanted here", f"{key}: [a, b]")
        return [str(one.value) for one in node.value]

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """A mapping of texts to texts, in its order; empty if it is not there."""
        section = self.section(key, required=False)
        return tuple((name, section.required_text(name)) for name in section.names())

    def required_text(self, key: str) -> str:
        value = self.text(key)
        if not value:
            raise self._missing(key)
        return value

    def fitting(self, key: str, form: Form) -> str:
        return self._of(form, key, self.required_text(key))

    def _of(self, form: Form, key: str, value: str) -> str:
        if not form.fits(value):
            raise self.error(
                key, f"{shown(value)!r} is not {form.words}", f"{key}: {form.example or form.words}"
            )
        return value

    def integer(self, key: str, default: int, form: Form) -> int:
        value = self.text(key)
        if value is None:
            return default
        if not form.fits(value):
            raise self.error(key, f"{value!r} is not {form.words}", f"{key}: {default}")
        return int(value)

    def flag(self, key: str, *, default: bool) -> bool:
        node = self._take(key, required=False)
        if node is None:
            return default
        if node.tag != "tag:yaml.org,2002:bool":
            raise self.error(key, f"{node.value!r} is not true or false", f"{key}: true")
        return str(node.value).lower() in ("true", "yes", "on")

    def choice(self, key: str, *choices: str) -> str:
        value = self.text(key)
        if value is not None and value not in choices:
            raise self.error(key, f"{value!r} is not one of {', '.join(choices)}", f"{key}: …")
        return value or choices[0]

    def _take(self, key: str, *, required: bool) -> yaml.Node | None:
        self._asked.append(key)
        if required and key not in self._values:
            raise self._missing(key)
        return self._values.get(key)

    def _missing(self, key: str) -> ConfigError:
        """Something that is needed is not there, or is there under a name that is not known."""
        other = nearest(key, (name for name in self._values if name not in self._asked))
        if other:
            return self.error(other, f"the key {other!r} is not known", f"{key}: …")
        return self.error(key, f"{key} is missing", f"{key}: …")


def nearest(word: str, words: Iterable[str]) -> str:
    """The word of ``words`` most like ``word``; empty when none is."""
    found = difflib.get_close_matches(word, list(words), n=1)
    return found[0] if found else ""
