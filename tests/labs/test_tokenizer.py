"""The tokenizer's lab, natively and in the page."""

import json

import pytest

from labs import LabError


def test_a_text_becomes_the_programs_tokens(labs, microgpt):
    tokenizer = microgpt.Tokenizer("abcdefghijklmnopqrstuvwxyz")
    answer = labs("tokenizer.encode", text="alice")
    assert answer["tokens"] == tokenizer.encode("alice")
    assert [entry["id"] for entry in answer["entries"]] == answer["tokens"]
    assert [entry["text"] for entry in answer["entries"]][1:-1] == [*"alice"]


def test_an_unknown_character_has_no_id(labs):
    answer = labs("tokenizer.encode", text="zoë🙂")
    assert answer["tokens"] is None
    assert [entry["id"] for entry in answer["entries"]] == [26, 25, 14, None, None, 26]


def test_lower_case_is_offered_where_it_helps(labs):
    assert labs("tokenizer.encode", text="Anna")["lower"] == "anna"
    for text in ("anna", "Zoë", "", "A B"):
        assert labs("tokenizer.encode", text=text)["lower"] is None


def test_nothing_is_two_marks_and_too_much_is_refused(labs):
    assert labs("tokenizer.encode", text="")["tokens"] == [26, 26]
    with pytest.raises(LabError, match="500 characters; 200"):
        labs("tokenizer.encode", text="a" * 500)


def test_the_table_is_the_vocabulary(labs, microgpt):
    table = labs("tokenizer.table")
    assert [entry["id"] for entry in table] == [*range(27)]
    assert table[-1]["text"] == "BOS"


def test_sample_names_are_from_the_list(labs, program):
    names = (program.folder / "names.txt").read_text(encoding="utf-8").split("\n")
    assert {*labs("tokenizer.some_names", count=5)} <= {*names}


ODD = {
    "": "[26, 26]",
    "<img src=x onerror=alert(1)>": "No document has “<”",
    "日本🙂": "No document has “日”, “本”, “🙂”, so there are no numbers for them",
    "Emma": "The names in the list are in lower case: try “emma”.",
    "a b": "No document has a space, so there is no number for it",
    "a" * 500: "500 characters",
}


def test_the_page_shows_the_tokens_and_explains_odd_text(open_lab, microgpt):
    lab = open_lab("tokenizer")
    tokenizer = microgpt.Tokenizer("abcdefghijklmnopqrstuvwxyz")
    tokens = {text: json.dumps(tokenizer.encode(text)) for text in ("emma", "x")}
    for text, said in {**ODD, **tokens}.items():
        lab.frame.get_by_label("Text").fill(text)
        lab.frame.get_by_text(said).first.wait_for()
    shown = lab.frame.locator(".lab-chips").first.locator("span").all_inner_texts()
    assert shown == ["26", "23", "26"]
    assert lab.frame.locator("img").count() == 0


def test_it_can_be_used_by_all(open_lab):
    lab = open_lab("tokenizer", viewport={"width": 390, "height": 800})
    lab.frame.get_by_text("All 27 tokens").click()
    assert lab.frame.locator("details li").count() == 27
    names = lab.frame.locator(".tok-names button")
    name = names.first.inner_text()
    names.first.focus()
    lab.page.keyboard.press("Enter")
    lab.page.wait_for_function(
        "n => document.querySelectorAll('.lab-chips')[0].childElementCount === n",
        arg=len(name) + 2,
    )
    assert lab.frame.get_by_label("Text").input_value() == name
    before = lab.text(".tok-names")
    names.last.focus()
    lab.page.keyboard.press("Enter")
    lab.page.wait_for_function(
        "text => document.querySelector('.tok-names').innerText !== text", arg=before
    )
    assert names.last.evaluate("b => b === document.activeElement")
    assert lab.page.evaluate("document.documentElement.scrollWidth") == 390
    assert lab.audit() == []
