"""The routes of both faces: added once, called by their functions' names."""

import pytest
from fastapi import FastAPI
from starlette.routing import Route

from app.http.operations import Operation
from tests import faces

FACES = (faces.desk(), faces.phone())


@pytest.mark.parametrize("face", FACES, ids=("desk", "phones"))
def test_face_holds_its_routes_itself(face: FastAPI) -> None:
    inside = [one for one in face.routes if not isinstance(one, Route)]
    assert not inside, "an included router is matched twice: app/http/operations.py"


@pytest.mark.parametrize("face", FACES, ids=("desk", "phones"))
def test_operation_is_called_by_the_name_of_its_function(face: FastAPI) -> None:
    operations = [one for one in face.routes if isinstance(one, Route) and one.include_in_schema]
    assert operations
    for one in operations:
        assert isinstance(one, Operation), one.path
        assert one.unique_id == one.name
