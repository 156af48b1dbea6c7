"""Render: one document of a project, under the project's environment, to output files. Knows no HTTP."""

from __future__ import annotations

from recto.deferred import deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from recto.render.model import Output, RenderRequest, Report
    from recto.render.project import Project
    from recto.render.renders import Renders

__all__ = ["Output", "Project", "RenderRequest", "Renders", "Report"]

# Most commands look for a project and render nothing.
__getattr__ = deferred(
    __name__,
    {
        "Output": "recto.render.model",
        "Project": "recto.render.project",
        "RenderRequest": "recto.render.model",
        "Renders": "recto.render.renders",
        "Report": "recto.render.model",
    },
)
