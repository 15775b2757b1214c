"""Requests that are not of the page itself are refused."""

from __future__ import annotations

import http.client
import json
import socket

import pytest

from lacelang.errors import ResourceError
from lacelang.web.guard import MOST_BYTES
from lacelang.web.serving import Serving
from lacelang.web.teach import TeachPage

Served = tuple[TeachPage, Serving]


def asked(
    serving: Serving,
    path: str = "",
    method: str = "GET",
    body: object = None,
    raw: bytes | None = None,
    **headers: str,
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=20)
    token = serving.url.split("/")[3]
    data = raw if raw is not None else None if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if data is not None:
        named.setdefault("Content-Type", "application/json")
    connection.request(method, path if path.startswith("/") else f"/{token}/{path}", data, named)
    response = connection.getresponse()
    return response.status, response.headers, response.read()


def test_the_page_and_its_parts_are_served(served: Served) -> None:
    page, serving = served
    for path in ("", "base.css", "teach.css", "teach.js", "state"):
        status, headers, body = asked(serving, path)
        assert status == 200
        assert body
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["access-control-allow-origin"] is None
        assert headers["referrer-policy"] == "no-referrer"
    index = page.lesson.batch[0].index
    status, headers, body = asked(serving, f"image/{index}.jpg")
    assert (status, headers["content-type"], body[:2]) == (200, "image/jpeg", b"\xff\xd8")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:{port}"}, 421),
        ({"Host": "127.0.0.1"}, 421),
        ({"Host": "127.0.0.1.evil.example:{port}"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "https://127.0.0.1:{port}"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Origin": "http://127.0.0.1:{port}", "Sec_Fetch_Site": "same-origin"}, 200),
        ({"Host": "localhost:{port}", "Origin": "http://localhost:{port}"}, 200),
    ],
)
def test_requests_of_other_hosts_and_sites_are_refused(
    served: Served, headers: dict[str, str], status: int
) -> None:
    page, serving = served
    filled = {name: value.format(port=serving.port) for name, value in headers.items()}
    assert asked(serving, "state", **filled)[0] == status
    answer = {"index": page.lesson.batch[0].index, "value": 1}
    assert asked(serving, "answer", "POST", answer, **filled)[0] == status
    assert len(page.lesson.labels) == (status == 200)


def test_the_token_is_needed(served: Served) -> None:
    _, serving = served
    token = serving.url.split("/")[3]
    assert len(token) >= 32
    for path in (
        "/",
        "/state",
        f"/{token[:-1]}/state",
        f"/x{token}/state",
        "//state",
        "/favicon.ico",
    ):
        assert asked(serving, path)[0] == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"])
def test_other_methods_are_refused(served: Served, method: str) -> None:
    assert asked(served[1], "state", method)[0] == 405


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "this is no JSON"),
        (b"[" * 4000, "this is no JSON"),
        (b"[1]", "an object is wanted"),
        (b"{}", "an answer is an index and a value"),
        (b'{"index": 0, "value": "1"}', "an answer is an index and a value"),
        (b'{"index": true, "value": true}', "an answer is an index and a value"),
        (b'{"index": 123456, "value": 1}', "draw 123456 was not asked about"),
    ],
)
def test_wrong_answers_are_refused_in_words(served: Served, body: bytes, said: str) -> None:
    page, serving = served
    status, _, answer = asked(serving, "answer", "POST", raw=body)
    assert status == 400
    assert said in json.loads(answer)["error"]
    assert page.lesson.labels == ()


def test_values_out_of_range_are_refused(served: Served) -> None:
    page, serving = served
    index = page.lesson.batch[0].index
    for value in (2, -1, 0.5, 1e308):
        status, _, answer = asked(serving, "answer", "POST", {"index": index, "value": value})
        assert status == 400
        assert "is no value of right" in json.loads(answer)["error"]


def test_long_bodies_forms_and_strange_pictures_are_refused(served: Served) -> None:
    _, serving = served
    assert asked(serving, "answer", "POST", raw=b" " * (MOST_BYTES + 1))[0] == 413
    form = "application/x-www-form-urlencoded"
    assert asked(serving, "answer", "POST", raw=b"index=1", Content_Type=form)[0] == 415
    assert asked(serving, "answer", "POST", raw=b"{}", Content_Type="text/plain")[0] == 415
    assert asked(serving, "image/999999.jpg")[0] == 404
    assert asked(serving, "../../etc/passwd")[0] == 404


def test_only_the_loopback_is_listened_to(served: Served) -> None:
    _, serving = served
    assert serving._socket.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ResourceError, match="cannot be used"):
            Serving(lambda *_: None, taken.getsockname()[1])
