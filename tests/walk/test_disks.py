"""Every page, form and call while no file may grow: refused as an outage, and over by itself."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from tests.full_disk import nothing_grows_beyond
from tests.walk.dataset import Dataset, routes, send
from tests.walk.test_api import ask
from tests.walk.test_console import FORM

KIB = 1024


@pytest.mark.thorough
@pytest.mark.parametrize("size", [0, 64 * KIB])
def test_a_full_disk_breaks_no_answer(app: FastAPI, dataset: Dataset, size: int) -> None:
    walker = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    broken, outages = [], 0
    for method, path in routes(app):
        if path.startswith(("/console/logout", "/healthz", "/readyz", "/metrics")):
            continue
        for who in ("zhao", "root"):
            with capture_logs(), nothing_grows_beyond(size):
                if path.startswith(("/v1", "/xAPI")):
                    status, said = ask(walker, dataset, method, path, dataset.county.huang.headers)
                else:
                    form = {**FORM, "csrf": dataset.csrf[who]} if method == "POST" else None
                    place = dataset.address(path)
                    status, said = send(walker, method, place, dataset.headers(who), form), ""
            outages += status == 503
            if status >= 500 and status != 503:
                broken.append(f"{who} {method} {path}: {status} {said[:200]}")
    app.state.services.database.close()
    assert broken == []
    assert outages > 20
