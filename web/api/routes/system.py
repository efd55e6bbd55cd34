"""The document of this interface."""

from typing import cast

from apiflask import APIBlueprint, APIFlask
from flask import Response, current_app

from mdm.storage.call import Call
from web.api.openapi import document
from web.api.operation import Public, operation

api = APIBlueprint("system", __name__, tag={"name": "System", "description": "The interface itself."})


@operation(api, "GET", "/openapi.json", Public("describes the interface and holds no data"), answer=None)
def get_openapi(_call: Call) -> Response:
    """The OpenAPI 3.1 document of this interface.

    It is made from the declarations that requests are checked by, so it cannot differ from them.
    """
    return Response(document(cast(APIFlask, current_app)), content_type="application/json")
