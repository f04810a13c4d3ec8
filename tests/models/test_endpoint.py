"""A witness behind a server, against servers that drop, delay, refuse and talk nonsense."""

import base64
import io
import logging
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.models.chat_protocol import KEY_VARIABLE
from fiftyone.plugins.orgs.second_opinion.audit.models.endpoint import Endpoint, EndpointError
from fiftyone.plugins.orgs.second_opinion.audit.models.errors import ModelUnavailable
from fiftyone.plugins.orgs.second_opinion.audit.models.frames import FrameRecord, SampledClip
from fiftyone.plugins.orgs.second_opinion.audit.models.generation import Generation, Reply
from PIL import Image

SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
QUICK = {"backoff": 0.001}


def clip(frames=3, shade=200):
    pictures = np.full((frames, 32, 48, 3), shade, np.uint8)
    seconds = tuple(range(frames))
    numbers = tuple(1 + 25 * second for second in seconds)
    return SampledClip(pictures, FrameRecord(numbers, seconds, 25.0, 250, 48, 32, True))


@pytest.fixture
def serve(servers):
    running = []

    def start(*behaviours, **settings):
        server = servers.Server(behaviours, **settings).__enter__()
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


def test_frames_go_as_pictures_with_their_times_and_the_prompt_comes_last(serve):
    server = serve()

    (reply,) = Endpoint(server.url).annotate([clip()], "What is this?")

    assert reply == Reply("What is this? 3", True, 7)
    (body,) = server.requests
    parts = body["messages"][0]["content"]
    assert [part["text"] for part in parts[:-1] if part["type"] == "text"] == [
        "[0.0 s]",
        "[1.0 s]",
        "[2.0 s]",
    ]
    data = parts[1]["image_url"]["url"].removeprefix("data:image/jpeg;base64,")
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert picture.shape == (32, 48, 3)
    assert abs(int(picture.mean()) - 200) <= 2
    assert body["model"] == "tiny"
    assert body["temperature"] == 0.0


@pytest.mark.parametrize("trouble", [429, "later", 500, 503, "drop", "nonsense", "html"])
def test_trouble_that_passes_is_waited_out(serve, trouble):
    server = serve(trouble, trouble)
    endpoint = Endpoint(server.url, **QUICK)

    assert endpoint.annotate([clip()], "Well?") == [Reply("Well? 3", True, 7)]
    assert endpoint.retried == 2
    assert len(server.requests) == 3


def test_an_answer_that_does_not_come_in_time_is_asked_for_again(serve):
    server = serve("slow")
    endpoint = Endpoint(server.url, timeout=0.3, **QUICK)

    assert endpoint.annotate([clip()], "Well?") == [Reply("Well? 3", True, 7)]
    assert endpoint.retried == 1


@pytest.mark.parametrize(
    ("trouble", "words"),
    [(500, "answers 500"), ("nonsense", "not that of a chat server"), ("drop", "connection broke")],
)
def test_trouble_that_stays_costs_the_clip_and_says_why(serve, trouble, words):
    server = serve(always=trouble)

    (error,) = Endpoint(server.url, retries=2, **QUICK).annotate([clip()], "Well?")

    assert isinstance(error, EndpointError)
    assert words in str(error)
    assert "after 3 tries" in str(error)
    assert len(server.requests) == 3


def test_a_refusal_is_not_repeated_and_keeps_the_server_s_words(serve):
    server = serve(413)

    (error,) = Endpoint(server.url, **QUICK).annotate([clip()], "Well?")

    assert "413" in str(error)
    assert "told to say 413" in str(error)
    assert len(server.requests) == 1


def test_many_requests_are_in_flight_and_each_answer_finds_its_clip(serve):
    server = serve(delay=0.1)
    prompts = [f"clip {number}" for number in range(24)]

    replies = Endpoint(server.url, concurrency=8).annotate([clip()] * 24, prompts)

    assert [reply.text for reply in replies] == [f"{prompt} 3" for prompt in prompts]
    assert 4 <= server.most_in_flight <= 8


def test_clips_are_drawn_only_as_they_can_be_sent(serve):
    server = serve(delay=0.02)
    drawn = []

    def asked():
        for number in range(40):
            drawn.append(number)
            yield clip(2), f"clip {number}"

    stream = Endpoint(server.url, concurrency=3).annotate_all(asked())
    next(stream)
    stream.close()

    assert len(drawn) <= 4


def test_one_clip_s_trouble_leaves_the_others_alone(serve):
    server = serve(400, "ok", "ok")

    replies = Endpoint(server.url, concurrency=1, **QUICK).annotate([clip()] * 3, "Well?")

    assert [type(reply) for reply in replies] == [EndpointError, Reply, Reply]


def test_a_schema_is_asked_for_and_done_without_where_it_is_refused(serve):
    server = serve("no-schema")
    endpoint = Endpoint(server.url, concurrency=1, **QUICK)

    replies = endpoint.annotate([clip(), clip()], "Well?", schema=SCHEMA)

    assert all(isinstance(reply, Reply) for reply in replies)
    held = ["response_format" in body for body in server.requests]
    assert held == [True, False, False]
    assert server.requests[0]["response_format"]["json_schema"]["schema"] == SCHEMA


def test_answers_cut_off_empty_or_in_parts_are_told_apart(serve):
    server = serve("long", "empty", "parts")

    cut, empty, parts = Endpoint(server.url, concurrency=1).annotate([clip()] * 3, "Well?")

    assert not cut.finished
    assert empty.text == ""
    assert parts.text == "Well? 3"


def test_sampling_is_a_choice(serve):
    server = serve()
    how = Generation(max_new_tokens=9, sample=True, temperature=0.9, top_p=0.5, seed=3)

    Endpoint(server.url).annotate([clip()], "Well?", how)

    (body,) = server.requests
    assert (body["temperature"], body["top_p"], body["seed"], body["max_tokens"]) == (
        0.9,
        0.5,
        3,
        9,
    )


def test_the_model_is_found_or_asked_for_before_any_clip_is_sent(serve):
    assert Endpoint(serve(models=("only",)).url).model == "only"
    assert Endpoint(serve(models=()).url, "named").model == "named"
    with pytest.raises(ModelUnavailable, match="it serves a, b"):
        Endpoint(serve(models=("a", "b")).url)
    with pytest.raises(ModelUnavailable, match="does not serve 'c'; it serves a, b"):
        Endpoint(serve(models=("a", "b")).url, "c")


def test_a_server_that_is_not_there_is_said_before_any_clip_is_sent():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

    with pytest.raises(ModelUnavailable, match="No server answers"):
        Endpoint(f"http://127.0.0.1:{port}/v1")


@pytest.mark.parametrize("address", ["", "localhost:8000", "ftp://host/v1", "file:///etc/passwd"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ModelUnavailable, match=r"such as http://127\.0\.0\.1:8000/v1"):
        Endpoint(address)


def test_a_server_that_goes_away_ends_the_run_and_what_came_is_kept(serve):
    server = serve()
    endpoint = Endpoint(server.url, concurrency=2, retries=1, **QUICK)
    came = []

    def run():
        for place, reply in endpoint.annotate_all((clip(), "Well?") for _ in range(1000)):
            came.append((place, reply))
            if len(came) == 5:
                server.stop()

    with pytest.raises(ModelUnavailable, match="has gone"):
        run()
    assert sum(isinstance(reply, Reply) for _, reply in came) >= 5
    assert len(came) < 50


def test_the_key_goes_to_the_server_and_into_no_message(serve, monkeypatch, caplog):
    monkeypatch.setenv(KEY_VARIABLE, "very-secret")
    server = serve(418, key="very-secret")

    with caplog.at_level(logging.DEBUG):
        (error,) = Endpoint(server.url, **QUICK).annotate([clip()], "Well?")
    monkeypatch.setenv(KEY_VARIABLE, "wrong-secret")
    with pytest.raises(ModelUnavailable, match=KEY_VARIABLE) as refused:
        Endpoint(server.url)

    for message in (caplog.text, str(error), str(refused.value), repr(vars(refused.value))):
        assert "secret" not in message.replace("SECOND", "")
    with pytest.raises(ModelUnavailable, match="must not hold a password"):
        Endpoint("http://user:very-secret@127.0.0.1:1/v1")


# ---- a real server ----


@pytest.fixture(scope="module")
def real_server(checkpoint, tmp_path_factory):
    for package in ("accelerate", "fastapi", "openai", "uvicorn"):
        pytest.importorskip(package, reason=f"transformers serve needs {package}")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
    model = checkpoint("qwen3_vl")
    log = open(tmp_path_factory.mktemp("serve") / "log.txt", "w+")  # noqa: SIM115
    command = [sys.executable, str(Path(__file__).with_name("serve.py")), model]
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", port, "--device", "cpu"],
        stdout=log,
        stderr=subprocess.STDOUT,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 90
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                break
        time.sleep(0.3)
    else:
        process.kill()
        log.seek(0)
        pytest.fail(f"transformers serve did not start: {log.read()[-2000:]}")
    yield f"http://127.0.0.1:{port}/v1", model
    process.terminate()
    process.wait(timeout=20)


def test_a_real_server_answers_about_a_real_film(real_server, sampled):
    url, model = real_server
    endpoint = Endpoint(url, model, timeout=60)

    replies = endpoint.annotate(sampled[1:], "Describe.", Generation(max_new_tokens=8))

    assert isinstance(replies[0], Reply), replies[0]
    assert replies[0].tokens > 0
