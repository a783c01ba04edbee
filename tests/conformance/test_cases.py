"""The cases of the pack: they are the program's numbers, and what the schema says."""

import json
import math

import pytest
from jsonschema import Draft202012Validator

from conformance import make
from conformance.check import LEVELS, Case, compare, parts

PATHS = sorted(make.CASES.glob("*.json"))
CONTENTS = {path.stem: json.loads(path.read_text("ascii")) for path in PATHS}
MODELS = {name: c for name, c in CONTENTS.items() if "forward" in c["expected"]}


@pytest.fixture(scope="module")
def fresh():
    """The cases, made anew."""
    return make.cases()


@pytest.mark.parametrize("name", CONTENTS)
def test_a_case_is_what_the_schema_says(name):
    schema = json.loads((make.HOME / "schema.json").read_text("ascii"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(CONTENTS[name])


def test_the_cases_are_those_that_are_made(fresh):
    assert {*CONTENTS} == {*fresh}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_fresh_run_gives_the_same_numbers(name, fresh):
    assert CONTENTS[name]["given"] == fresh[name]["given"]
    case = Case(CONTENTS[name])
    assert [*case.expected] == [*fresh[name]["expected"]]
    for level, answer in fresh[name]["expected"].items():
        assert [*answer] == [*case.expected[level]]
        # Before Python 3.12, sum() loses a digit more.
        assert compare(level, case, answer, tolerance=1e-13) is None


def test_the_cases_are_small():
    assert sum(path.stat().st_size for path in PATHS) < 500_000


def test_every_level_has_a_case():
    assert {level for c in CONTENTS.values() for level in c["expected"]} == {*LEVELS}


def test_the_cases_have_the_kinds_that_ports_go_wrong_at():
    given = [content["given"] for content in MODELS.values()]
    assert {g["n_head"] for g in given} >= {1, 2, 4}
    assert {g["n_layer"] for g in given} >= {1, 2, 3}
    assert any(g["documents"] == ["a"] for g in given)
    assert any(g["lengths"][0] > g["block_size"] + 1 for g in given)
    assert any(len(g["documents"]) == 1 for g in given)
    assert any(len(g["documents"]) == 3 for g in given)
    assert all(
        0.0 in c["expected"]["forward"]["layer0.hidden"] for c in MODELS.values()
    )
    drawn = [
        c["expected"]["names"]["drawn"]
        for c in MODELS.values()
        if "names" in c["expected"]
    ]
    assert any(max(tokens) == tokens[-1] for tokens in drawn)  # a name ends with BOS


@pytest.mark.parametrize("name", MODELS)
def test_each_list_has_the_length_that_the_sizes_say(name):
    case = Case(MODELS[name])
    given, n = case.given, case.positions
    width, heads = given["n_embd"], given["n_head"]
    triangle = heads * n * (n + 1) // 2
    special = {"hidden": 4 * width * n, "active": 4 * width * n, "scores": triangle}
    special |= {"weights": triangle, "logits": n * given["vocab_size"]}
    special["probs"] = special["logits"]
    for key, numbers in case.expected["forward"].items():
        expected = special.get(key.rpartition(".")[2], n * width)
        assert len(numbers) == expected, key
    assert len(case.expected["loss"]["surprises"]) == n
    assert len(case.expected["gradients"]["gradients"]) == len(given["weights"])


@pytest.mark.parametrize("name", MODELS)
def test_the_parts_of_a_list_are_all_of_it(name):
    case = Case(MODELS[name])
    found = parts("gradients", "gradients", case)
    numbers = case.expected["gradients"]["gradients"]
    lengths = [len(numbers[part.numbers]) for part in found]
    assert sum(lengths) == len(numbers) and 0 not in lengths


@pytest.mark.parametrize("name", MODELS)
def test_the_steps_are_those_that_the_labs_see(name, microgpt, monkeypatch):
    """The labs look into the program in another way: by the names of its chunks."""
    given, forward = MODELS[name]["given"], MODELS[name]["expected"]["forward"]
    from labs.shared import models, trace

    monkeypatch.setattr(models, "HOME", make.HOME.parent)
    model = make.Program(microgpt).model(given)
    count = min(given["block_size"], given["lengths"][0] - 1)
    seen = trace.positions(model, given["tokens"][:count])
    found = {key: [] for key in forward}
    for position in seen:
        found["embedded"] += position.embedded
        found["normed"] += position.layers[0].entered
        for i, layer in enumerate(position.layers):
            for key in (
                *("normed", "query", "key", "value", "found", "mixed", "attended"),
                *("normed_again", "hidden", "active", "thought", "left"),
            ):
                found[f"layer{i}.{key}"] += getattr(layer, key)
            for head in layer.heads:
                found[f"layer{i}.scores"] += head.scaled
                found[f"layer{i}.weights"] += head.weights
        found["logits"] += position.logits
        found["probs"] += position.probs
    for key in forward:
        assert found[key] == pytest.approx(forward[key], rel=1e-12, abs=1e-15), key


@pytest.mark.parametrize("name", MODELS)
def test_the_gradients_are_slopes(name):
    """A step along one direction changes the loss by what the slopes say."""
    given, expected = MODELS[name]["given"], MODELS[name]["expected"]
    port, slopes = make.program(), expected["gradients"]["gradients"]
    size = math.hypot(*slopes)

    def loss(move):
        moved = [w + move * g / size for w, g in zip(given["weights"], slopes)]
        return port.loss({**given, "weights": moved})["loss"][0]

    assert (loss(1e-6) - loss(-1e-6)) / 2e-6 == pytest.approx(size, rel=1e-5)
