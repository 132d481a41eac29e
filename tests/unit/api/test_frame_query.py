"""The parameters of a frame, which are read up to ten times a second for every person."""

from __future__ import annotations

from api.schemas import FrameQuery


def test_the_schema_is_made_once_and_the_document_s_own_each_time() -> None:
    assert FrameQuery.model_json_schema() is FrameQuery.model_json_schema()
    document = FrameQuery.model_json_schema(mode="validation")
    assert document == FrameQuery.model_json_schema()
    assert document is not FrameQuery.model_json_schema(), "flask-openapi may change it"
