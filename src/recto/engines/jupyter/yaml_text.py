"""YAML that an author wrote, as plain values."""

from __future__ import annotations

import yaml


def read_mapping(text: str) -> dict[str, object]:
    """The keys and values of a YAML mapping, empty for empty text; ValueError, in words, for anything else."""
    try:
        value = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 1} of it" if error.problem_mark else ""
        raise ValueError(f"its YAML has an error{where}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise ValueError("its YAML holds a character that YAML does not allow") from error
    except RecursionError as error:
        raise ValueError("its YAML is nested too deeply") from error
    except (ValueError, OverflowError, TypeError, AttributeError, KeyError) as error:
        # PyYAML's constructors raise these for values that only look right: the date 2024-13-45, `!!int x`.
        raise ValueError(f"its YAML has a value that cannot be read: {error}") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError("its YAML is not a list of `key: value` lines")
    return {str(key): item for key, item in value.items()}
