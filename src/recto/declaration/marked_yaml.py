"""YAML as values with their lines.

The text is composed into nodes and never constructed, so that no alias is ever multiplied out and no tag means
anything: what the declaration reads is two levels deep.
"""

from __future__ import annotations

import yaml

from recto.declaration.caps import YAML_DEPTH
from recto.declaration.showing import shown
from recto.declaration.table import Other, Value
from recto.declaration.text import Unreadable

_STR = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_LEVELS = 2


class _Loader(yaml.SafeLoader):
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.depth >= YAML_DEPTH:
            raise yaml.MarkedYAMLError(problem=f"it is nested more than {YAML_DEPTH} levels deep")
        self.depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


def value_at(text: str, key: str, first_line: int | None) -> Value | None:
    """The value of a key of the top mapping, None where it is absent; raises Unreadable.

    `first_line` is the number of the text's first line in its file, None where lines mean nothing. Of a key that is
    there twice, the last counts.
    """
    try:
        root = yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the last two: escapes and numbers without bounds
        raise Unreadable(_reason(error, first_line)) from None
    if not isinstance(root, yaml.MappingNode):
        return None
    found = [node for name, node in root.value if isinstance(name, yaml.ScalarNode) and name.value == key]
    return _value(found[-1], first_line, _LEVELS) if found else None


def _value(node: yaml.Node, first_line: int | None, levels: int) -> Value:
    line = None if first_line is None else node.start_mark.line + first_line
    if isinstance(node, yaml.ScalarNode):
        if node.tag == _NULL:
            return Value(None, line)
        return Value(node.value if node.tag in (_STR, _TIMESTAMP) else Other(node.value), line)
    if levels and isinstance(node, yaml.SequenceNode):
        return Value(tuple(_value(item, first_line, levels - 1) for item in node.value), line)
    if levels and isinstance(node, yaml.MappingNode):
        pairs = ((str(name.value), node) for name, node in node.value if isinstance(name, yaml.ScalarNode))
        return Value({name: _value(node, first_line, levels - 1) for name, node in pairs}, line)
    return Value(Other(""), line)


def _reason(error: Exception, first_line: int | None) -> str:
    if not isinstance(error, yaml.MarkedYAMLError) or not error.problem:
        return "it is not YAML"
    where = "" if error.problem_mark is None else f", line {error.problem_mark.line + (first_line or 1)}"
    return f"{shown(error.problem, 100)}{where}"
