"""The nightly page and the stories in it: read a night, reduce it to figures, render one HTML file."""

from recthinker.report.choice import choose_traced, choose_users
from recthinker.report.data import Night, Rows, Stage, TableChecks, read_episodes, read_manifest, read_night, read_rows
from recthinker.report.evaluation import Evaluation, read_evaluation
from recthinker.report.labels import Piece
from recthinker.report.page import render_page, write_page
from recthinker.report.stories import Call, Place, Story, Turn, tell_story

__all__ = [
    "Call",
    "Evaluation",
    "Night",
    "Piece",
    "Place",
    "Rows",
    "Stage",
    "Story",
    "TableChecks",
    "Turn",
    "choose_traced",
    "choose_users",
    "read_episodes",
    "read_evaluation",
    "read_manifest",
    "read_night",
    "read_rows",
    "render_page",
    "tell_story",
    "write_page",
]
