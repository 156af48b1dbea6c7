"""Render: one document of a project, under the project's environment, to output files. Knows no HTTP."""

from recto.render.model import Output, RenderRequest, Report
from recto.render.project import Project
from recto.render.renders import Renders

__all__ = ["Output", "Project", "RenderRequest", "Renders", "Report"]
