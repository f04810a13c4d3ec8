"""Judges that point, rerank, or are behind a server; and claims that a model writes."""

import json
import math

import numpy as np
import pytest
from fiftyone.plugins.orgs.second_opinion.audit.models.annotator import Annotator
from fiftyone.plugins.orgs.second_opinion.audit.models.claim_writer import (
    served_claims,
    written_claims,
)
from fiftyone.plugins.orgs.second_opinion.audit.models.endpoint import Endpoint, EndpointError
from fiftyone.plugins.orgs.second_opinion.audit.models.errors import ModelUnavailable
from fiftyone.plugins.orgs.second_opinion.audit.models.generation import Generation
from fiftyone.plugins.orgs.second_opinion.audit.models.judge_pointing import (
    FOUND,
    PointingJudge,
    read_points,
)
from fiftyone.plugins.orgs.second_opinion.audit.models.judge_rerank import FRAMING, RerankJudge
from fiftyone.plugins.orgs.second_opinion.audit.models.judge_rerank_served import (
    ServedRerankJudge,
)
from fiftyone.plugins.orgs.second_opinion.audit.models.judge_served import (
    ONE_WORD,
    ServedYesJudge,
)
from fiftyone.plugins.orgs.second_opinion.audit.models.shared_prefix import SharedPrefix

STATEMENTS = ["A rabbit wakes up.", "Three people ride bicycles.", "Nobody is there."]


def open_endpoint(server, **how):
    return Endpoint(server.url, "tiny", **{"backoff": 0.01, "retries": 1, "concurrency": 4, **how})


# ---- pointing ----


def test_points_are_read_with_time_number_and_place():
    answer = '<points coords="1.5 1 105 205 2 300 400\t3.0 1 500 0600">ducks</points>'

    points = read_points(answer, "the ducks", 4.0)

    assert [(p.seconds, p.index, p.x, p.y) for p in points] == [
        (1.5, 1, 0.105, 0.205),
        (1.5, 2, 0.3, 0.4),
        (3.0, 1, 0.5, 0.6),
    ]
    assert {p.label for p in points} == {"the ducks"}


@pytest.mark.parametrize(
    "answer",
    [
        "There are none.",
        "",
        '<points coords="">x</points>',
        '<points coords="9.0 1 100 100">after the clip</points>',
        '<points coords="1.0 1 1200 100">outside</points>',
        '<points coords="1.0 1 100">half a point</points>',
        '<points coords="1.0 1 1e999 nan">no numbers</points>',
        "<points coords=" * 3000,
    ],
)
def test_what_is_no_point_within_the_clip_is_left_out(answer):
    assert read_points(answer, "x", 4.0) == []


def test_what_is_pointed_at_is_found_and_what_is_not_is_told_apart(servers, sampled):
    def says(body):
        words, _ = servers.words_of(body)
        return '<points coords="0.5 1 400 500">it</points>' if "rabbit" in words else "None."

    with servers.Server(says=says) as server:
        sight = PointingJudge(open_endpoint(server)).look(sampled[1])
        found = sight.log_odds(["a rabbit", "a red car"])

    assert found.tolist() == [FOUND, -FOUND]
    assert [(p.label, p.x, p.y, p.seconds) for p in sight.points] == [("a rabbit", 0.4, 0.5, 0.5)]


def test_an_answer_that_breaks_off_tells_nothing(checkpoint, sampled):
    molmo = Annotator(checkpoint("molmo2"), device="cpu")
    judge = PointingJudge(molmo, Generation(max_new_tokens=3))

    assert np.isnan(judge.look(sampled[1]).log_odds(["a rabbit", "a car"])).all()


# ---- rerank ----


def test_the_reranker_shares_its_clip_too(checkpoint, sampled):
    model = Annotator(checkpoint("qwen3_vl"), device="cpu")
    judge = RerankJudge(model)

    found = judge.look(sampled[0]).log_odds(STATEMENTS)

    alone = SharedPrefix(model, sampled[0], FRAMING, shared=False)
    separate = [judge.weigh(alone.apart(statement))[0] for statement in STATEMENTS]
    assert judge.shared is True
    assert np.abs(found - separate).max() < 1e-4
    asked = alone._inputs(STATEMENTS[1])["input_ids"][0]
    words = model.processor.tokenizer.decode(asked)
    assert words.index("<Query>") < words.index("<Document>: Three people ride bicycles.")
    assert words.index("Judge whether") < words.index("<Instruct>")


def test_a_model_that_is_no_reranker_is_refused_in_a_sentence(checkpoint):
    with pytest.raises(ModelUnavailable, match="molmo2 model; the method rerank takes Qwen3-VL"):
        RerankJudge(Annotator(checkpoint("molmo2"), device="cpu"))


# ---- rerank behind a server ----

RABBIT, NONE = 0.9, 0.2


def relevance(body):
    return [RABBIT if "rabbit" in document.lower() else NONE for document in body["documents"]]


def like_vllm(body):
    """Sorted by relevance, as vLLM's and Cohere's answers are."""
    rows = [{"index": i, "relevance_score": s} for i, s in enumerate(relevance(body))]
    return {"results": sorted(rows, key=lambda row: -row["relevance_score"])}


def like_sglang(body):
    rows = [{"index": i, "score": s, "document": ""} for i, s in enumerate(relevance(body))]
    return sorted(rows, key=lambda row: -row["score"])


@pytest.mark.parametrize("ranks", [like_vllm, like_sglang])
def test_a_served_reranker_is_sent_the_clip_once_with_all_statements(servers, sampled, ranks):
    statements = ["Nobody is there.", "A rabbit\n wakes up.", "Three people."]
    with servers.Server(ranks=ranks) as server:
        judge = ServedRerankJudge(open_endpoint(server))
        found = judge.look(sampled[1]).log_odds(statements)

    odds = {score: math.log(score / (1 - score)) for score in (RABBIT, NONE)}
    assert found == pytest.approx([odds[NONE], odds[RABBIT], odds[NONE]])
    probe, asked = server.requests
    assert "image_url" not in json.dumps(probe)
    assert asked["documents"] == ["Nobody is there.", "A rabbit wakes up.", "Three people."]
    query = asked["query"] if ranks is like_sglang else asked["query"]["content"]
    assert sum(part["type"] == "image_url" for part in query) == len(sampled[1].frames)
    assert "video clip" in asked["instruct" if ranks is like_sglang else "instruction"]
    assert len(judge.look(sampled[1]).log_odds([])) == 0


def test_a_server_that_does_not_rerank_is_refused_before_any_clip_is_sent(servers):
    with servers.Server() as server, pytest.raises(ModelUnavailable) as refused:
        ServedRerankJudge(open_endpoint(server))

    told = str(refused.value)
    assert f"The server at {server.url} does not rerank with 'tiny': it refuses with 404" in told
    assert "Qwen3-VL-Reranker-2B" in told and "leave rerank out" in told


@pytest.mark.parametrize(
    "answer",
    [
        {"results": [{"index": 0, "relevance_score": 0.5}]},  # the other one is missing
        {"results": [{"index": i, "relevance_score": 7.5} for i in range(2)]},  # no probability
        {"choices": []},
        [{"index": 0}, {"index": 1}],
        "nonsense",
    ],
)
def test_what_is_no_answer_of_a_reranker_is_no_score(servers, answer):
    with (
        servers.Server(ranks=lambda body: answer) as server,
        pytest.raises(ModelUnavailable, match="not that of a reranker"),
    ):
        ServedRerankJudge(open_endpoint(server))


def test_a_reranker_that_fails_later_is_an_error_and_no_answer(servers, sampled):
    with servers.Server(ranks=like_vllm) as server:
        judge = ServedRerankJudge(open_endpoint(server))
        server.always = 400
        with pytest.raises(EndpointError, match="told to say 400"):
            judge.look(sampled[1]).log_odds(STATEMENTS)


# ---- behind a server ----


def with_logprobs(server, top):
    """Makes the server's good answers carry log-probabilities, as vLLM's do."""
    handler = server._http.RequestHandlerClass
    plain = handler.answer

    def answer(self, status, body, headers=None):
        if status == 200 and "choices" in body:
            entries = [{"token": token, "logprob": value} for token, value in top.items()]
            body["choices"][0]["logprobs"] = {"content": [{"top_logprobs": entries}]}
        return plain(self, status, body, headers)

    handler.answer = answer


def test_a_server_s_log_probabilities_are_summed_over_spellings(servers, sampled):
    top = {"Yes": math.log(0.5), " yes": math.log(0.2), "No": math.log(0.1), "Well": -4.0}
    with servers.Server() as server:
        with_logprobs(server, top)
        judge = ServedYesJudge(open_endpoint(server))
        found = judge.look(sampled[1]).log_odds(STATEMENTS)

    assert found == pytest.approx([math.log(0.7 / 0.1)] * 3)
    assert judge.constrained is False
    assert all(body["logprobs"] and body["max_tokens"] == 1 for body in server.requests)
    asked = [servers.words_of(body) for body in server.requests]
    assert all(pictures == len(sampled[1].frames) for _, pictures in asked)
    assert {s for s in STATEMENTS for words, _ in asked if s in words} == set(STATEMENTS)


def test_without_log_probabilities_the_answer_is_one_word(servers, sampled):
    def says(body):
        words, _ = servers.words_of(body)
        return '"Yes"' if "rabbit" in words else "No." if "Three" in words else "Perhaps"

    with servers.Server(says=says) as server:
        judge = ServedYesJudge(open_endpoint(server))
        found = judge.look(sampled[1]).log_odds(STATEMENTS)

    assert found[:2].tolist() == [ONE_WORD, -ONE_WORD]
    assert np.isnan(found[2])  # neither, so it is missing, and not a No
    assert judge.constrained is True
    held = server.requests[-1]["response_format"]["json_schema"]["schema"]
    assert held == {"type": "string", "enum": ["Yes", "No"]}


def test_a_server_that_fails_is_an_error_and_no_answer(servers, sampled):
    with servers.Server(always=500) as server:
        judge = ServedYesJudge(open_endpoint(server))
        with pytest.raises(EndpointError, match="told to say 500"):
            judge.look(sampled[1]).log_odds(STATEMENTS)


# ---- claims ----


def test_claims_of_a_local_model_have_the_schema_s_form(checkpoint):
    pytest.importorskip("llguidance", reason="holding answers to a schema needs llguidance")
    model = Annotator(checkpoint("qwen3_vl"), device="cpu")

    bodies = written_claims(model, ["A dog barks.", "Two men."], Generation(max_new_tokens=60))

    assert len(bodies) == 2
    assert all(body is None or "claims" in body for body in bodies)  # random weights break off


def test_claims_of_a_served_model_are_read_and_failures_are_none(servers):
    claims = {"claims": [{"text": "A dog.", "kind": "who", "needs": [], "target": "a dog"}]}

    def says(body):
        words, pictures = servers.words_of(body)
        assert pictures == 0
        return f"```json\n{json.dumps(claims)}\n```" if "barks" in words else "I cannot."

    with servers.Server(says=says) as server:
        found = served_claims(open_endpoint(server), ["A dog barks.", "A cat."])

    assert found == [claims, None]
    schema = server.requests[0]["response_format"]["json_schema"]["schema"]
    assert "claims" in schema["properties"]
    with servers.Server(always=500) as server:
        assert served_claims(open_endpoint(server), ["A dog barks."]) == [None]
