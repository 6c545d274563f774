"""All hard cases."""

from __future__ import annotations

from tests.hard.control import CONTROL
from tests.hard.edges import EDGES
from tests.hard.expressions import EXPRESSIONS
from tests.hard.functions import FUNCTIONS
from tests.hard.kinds import KINDS
from tests.hard.lists import LISTS
from tests.hard.mutation import MUTATION
from tests.hard.objects import OBJECTS
from tests.hard.places import PLACES
from tests.hard.refusals import REFUSALS
from tests.hard.storage import STORAGE
from tests.hard.structures import STRUCTURES
from tests.hard.table import Case
from tests.hard.views import VIEWS

TABLES = (
    CONTROL, MUTATION, VIEWS, PLACES, STORAGE,
    EXPRESSIONS, EDGES, FUNCTIONS, STRUCTURES, LISTS, OBJECTS, KINDS, REFUSALS,
)  # fmt: skip
ALL: tuple[Case, ...] = tuple(case for table in TABLES for case in table)
RIGHT = tuple(case for case in ALL if case.refused is None)
REFUSED = tuple(case for case in ALL if case.refused is not None)
