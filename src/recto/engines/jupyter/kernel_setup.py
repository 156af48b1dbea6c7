"""Runs inside the kernel before the first cell, as text; the runner calls what it leaves under `__recto__`.

It imports neither matplotlib nor plotly: a document that uses none of them should not wait for them.
"""

# IPython, which runs this, defines `get_ipython`.
# mypy: ignore-errors


def _recto():
    import json
    import os
    import sys
    from types import SimpleNamespace

    shell = get_ipython()  # noqa: F821

    def enter(directory, formats, width, height):
        # As if the kernel had been started there.
        os.chdir(directory)
        shell.starting_dir = os.getcwd()  # noqa: PTH109
        visited = shell.user_ns["_dh"]
        visited[:] = [type(path)(shell.starting_dir) for path in visited]
        shell.config.InlineBackend.figure_formats = set(formats)
        shell.config.InlineBackend.rc = {"figure.figsize": (width, height), "figure.dpi": 100}

    def figure_size(width, height):
        try:
            import matplotlib.pyplot as plt
        except ImportError:
            return
        # Without this the inline backend sets its own size again after the first cell that draws.
        shell.enable_matplotlib("inline")
        plt.rcParams["figure.figsize"] = (width, height)

    def inline(value):
        markdown = getattr(value, "_repr_markdown_", None)
        text = markdown() if markdown else None
        return json.dumps({"text": str(value)} if text is None else {"markdown": str(text)})

    def failure():
        error = getattr(sys, "last_value", None)
        kinds = [kind.__name__ for kind in type(error).__mro__]
        facts = {"kinds": kinds, "line": line_of(error), "name": None, "file": None}
        if isinstance(error, ImportError):
            facts["name"] = error.name
        if isinstance(error, OSError) and isinstance(error.filename, str):
            facts["file"] = error.filename
        return json.dumps(facts)

    def line_of(error):
        # The deepest frame in the file that the cell was compiled as: inside of a function of the same cell, if any.
        line = file = None
        frame = getattr(error, "__traceback__", None)
        while frame is not None:
            code = frame.tb_frame.f_code
            if code.co_name == "<module>" and frame.tb_frame.f_globals is shell.user_ns:
                file = code.co_filename
            if file is not None and code.co_filename == file:
                line = frame.tb_lineno
            frame = frame.tb_next
        if line is None and isinstance(error, SyntaxError):
            return error.lineno
        return line

    return SimpleNamespace(
        enter=enter, figure_size=figure_size, inline=inline, failure=failure, prefix=lambda: sys.prefix
    )


__recto__ = _recto()
del _recto
