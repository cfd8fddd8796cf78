"""The OpenAPI description, and whether the doors keep what it promises, whatever they are sent."""

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from jdaviz_mast.web.messages import ImportRequest

HST = "ib5741010"
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
#: The guide's calls.
CALLS = {
    ("post", "/api/mast/search/target"),
    ("post", "/api/mast/search/coordinates"),
    ("post", "/api/mast/search/observation"),
    ("post", "/api/mast/search/program"),
    ("post", "/api/mast/import"),
    ("get", "/api/mast/import-progress/{jobId}"),
    ("post", "/api/mast/import/resume/{jobId}"),
    ("post", "/api/mast/import/from-existing/{obsId}"),
    ("post", "/api/mast/refresh-metadata/{obsId}"),
    ("post", "/api/mast/refresh-metadata-all"),
}


def test_the_description_is_valid_and_lists_the_calls_of_the_guide(door):
    answer = door.get("openapi.json")
    assert answer.headers["content-type"].startswith("application/json")
    description = answer.json()
    validate(description)
    calls = {(m, path) for path, methods in description["paths"].items() for m in methods}
    assert calls == CALLS
    for methods in description["paths"].values():
        for call in methods.values():
            assert call["description"]
            assert {"200", "404", "415", "421", "422", "429"} <= set(call["responses"])


def test_the_names_of_the_fields_are_those_of_the_guide():
    names = ImportRequest.model_json_schema()["properties"]
    assert list(names) == ["obsId", "productType", "downloadSource", "calibLevel"]


def test_there_is_no_page_that_loads_scripts_from_elsewhere(door):
    for path in ("docs", "redoc"):
        assert door.get(path).status_code == 404


def test_whatever_is_sent_no_door_breaks_or_answers_otherwise_than_described(door, mast):
    # Some calls find something: an import that has ended, and its files.
    job = mast.fetch(HST)
    description = door.get("openapi.json").json()
    known = {"jobId": job.id, "obsId": HST}
    for methods in description["paths"].values():
        for call in methods.values():
            for parameter in call.get("parameters", ()):
                parameter["schema"]["enum"] = [known[parameter["name"]]]
    messages = description["components"]["schemas"]
    messages["TargetSearch"]["properties"]["targetName"]["enum"] = ["NGC 3132"]
    for message in ("ImportRequest", "ObservationSearch"):
        messages[message]["properties"]["obsId"]["enum"] = [HST]
    seen = {}
    for text in (description, door.get("openapi.json").json()):
        for result in schemathesis.openapi.from_dict(text).get_all_operations():
            operation = result.ok()
            codes = seen.setdefault(operation.label, set())
            _fuzz(operation, GenerationMode.POSITIVE, door, codes)
            if operation.body or operation.path_parameters:  # else nothing can be wrong
                _fuzz(operation, GenerationMode.NEGATIVE, door, codes)
    assert len(seen) == len(CALLS)
    for label, codes in seen.items():
        assert 200 in codes, label


def _fuzz(operation, mode, door, codes):
    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case):
        # By default schemathesis waits 10 s, which a busy machine may need.
        response = case.call(base_url=door.origin, timeout=120)
        codes.add(response.status_code)
        assert response.status_code < 500, response.text
        case.validate_response(response, checks=CHECKS)

    check()
