"""The pages, each one HTML file: a night with the stories in it, and a retraining. Read, reduce to figures, render."""

from recthinker.report.choice import choose_traced, choose_users
from recthinker.report.data import Night, Rows, Stage, TableChecks, read_episodes, read_manifest, read_night, read_rows
from recthinker.report.evaluation import Evaluation, read_evaluation
from recthinker.report.labels import Piece
from recthinker.report.page import render_page
from recthinker.report.rendering import write_page
from recthinker.report.retrain import Retraining, Systems, read_retraining, render_retraining
from recthinker.report.stories import Call, Place, Story, Turn, tell_story

__all__ = [
    "Call",
    "Evaluation",
    "Night",
    "Piece",
    "Place",
    "Retraining",
    "Rows",
    "Stage",
    "Story",
    "Systems",
    "TableChecks",
    "Turn",
    "choose_traced",
    "choose_users",
    "read_episodes",
    "read_evaluation",
    "read_manifest",
    "read_night",
    "read_retraining",
    "read_rows",
    "render_page",
    "render_retraining",
    "tell_story",
    "write_page",
]
