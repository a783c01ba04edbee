"""Are the committed results what the program does, and are tables and figures theirs?

The long runs are not repeated. Every trial is begun anew, and must begin as the one in
results.json did; what is quick to compute is computed again.
"""

import math
import re
import statistics
import xml.etree.ElementTree as ElementTree
from itertools import islice

import pytest

from experiments import figures, letters, measures, run, tables
from experiments.figures import drawing, learning, machine
from experiments.lists import PUBLISHED, documents, split
from experiments.programs import BOOK, fingerprint, program
from experiments.speed import memory
from experiments.speed.ideas import IDEAS, Comparison
from experiments.trials import TRIALS, first_losses

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def results():
    return run.read()


@pytest.fixture(scope="module")
def published():
    if not PUBLISHED.exists():
        pytest.skip(f"the published names are not here ({PUBLISHED})")
    return "published"


# The results


def test_nothing_is_missing(results):
    jobs = run.jobs(["own", "published"])
    missing = [" / ".join(j.path) for j in jobs if run.lookup(results, j.path) is None]
    assert missing == []


def test_the_file_is_as_the_script_writes_it(results, tmp_path, monkeypatch):
    committed = run.RESULTS.read_text(encoding="utf-8")
    monkeypatch.setattr(run, "RESULTS", tmp_path / "results.json")
    run.write(results)
    assert run.RESULTS.read_text(encoding="utf-8") == committed


def test_held_out_names_are_never_trained_on():
    trained, held_out = split("own", 1000)
    assert (len(trained), len(held_out)) == (2000, 600)
    assert not set(trained) & set(held_out)


def test_the_default_run_begins_as_recorded(results):
    found = list(islice(Comparison(BOOK, 1).steps(), 30))
    recorded = results["own"]["default run"]["losses"]
    assert len(recorded) == 1000
    assert found == pytest.approx(recorded[:30], abs=6e-5)


def test_the_published_losses_that_are_shown_are_those_recorded(results):
    losses = results["published"]["default run"]["losses"]
    steps = {
        step: f"step {step:4d} / 1000 | loss {losses[step - 1]:.4f}"
        for step in (1, 2, 999, 1000)
    }
    shown = BOOK.read_text(encoding="utf-8").partition("num docs: 32033")[2]
    assert [line for line in steps.values() if f"\n{line}\n" not in shown] == []
    readme = BOOK.with_name("README.md").read_text(encoding="utf-8")
    assert f"from `{steps[1]}` to `{steps[1000]}`" in readme


def test_a_fingerprint_is_of_code_alone():
    source = program().source
    assert fingerprint(source) == fingerprint(f'"""More."""\n{source}\n\n# more\n')
    assert fingerprint(source) != fingerprint(f"{source}\nmore = 1\n")


@pytest.mark.parametrize("name", TRIALS)
def test_each_trial_begins_as_recorded_and_is_not_the_baseline(name, results):
    trials = results["own"]["trials"]["1000"]
    found = first_losses(name, "own", 1000, count=8)
    assert found == pytest.approx(trials[name]["42"]["first"][:8], abs=3e-6)
    if name != "baseline":
        assert trials[name]["42"]["first"] != trials["baseline"]["42"]["first"]


@pytest.mark.parametrize("which", ["own", "published"])
def test_counting_gives_the_recorded_ladder(which, results, request):
    if which == "published":
        request.getfixturevalue("published")
    docs, held_out = split(which, 1000)
    ladder = results[which]["ladder"]["1000"]["42"]
    assert ladder["uniform"]["add one"] == round(math.log(27), 6)
    for n, name in enumerate(("unigram", "bigram", "trigram"), start=1):
        counts = measures.ngram(docs[:1000], n)
        loss = measures.ngram_loss(counts, n, held_out, 1.0)
        assert loss == pytest.approx(ladder[name]["add one"], abs=1e-6)


def test_the_graphs_have_the_recorded_sizes(results):
    recorded = results["own"]["counts"]
    assert recorded["emma"]["plain"]["values"] == 43091
    assert recorded["muhammadmustafa"]["plain"]["values"] == 138915
    assert measures.counts("own", names=("emma",))["emma"] == recorded["emma"]


def test_where_the_heads_look_adds_up(results):
    attention = results["own"]["attention"]
    for head in attention["heads"].values():
        shares = [head[key] for key in ("BOS", "itself", "one before", "earlier")]
        assert sum(shares) == pytest.approx(1, abs=0.003)
    for head in attention["sarah"]:
        assert [len(row) for row in head] == [1, 2, 3, 4, 5, 6]
        assert all(sum(row) == pytest.approx(1, abs=0.004) for row in head)


def test_rows_for_rare_positions_move_most(results):
    found = results["own"]["positions"]
    assert found["longest"] == 12 and found["moved"][13:] == [0.0] * 3
    assert round(max(found["moved"]), 2) == round(found["moved"][10], 2) == 0.26
    first = [round(moved, 2) for moved in found["moved"][:6]]
    assert (min(first), max(first)) == (0.10, 0.14)
    names = split("own", 1000)[0][:1000]
    used = [sum(len(name) >= place for name in names) for place in (10, 12)]
    assert used == [30, 1] and round(found["moved"][12], 2) == 0.07


def test_attention_is_watched_without_a_trace():
    microgpt = program()
    softmax = microgpt.softmax
    comparison = Comparison(BOOK, 1)
    model = measures.fresh_model(microgpt, "own")
    heads = measures.attention_weights(microgpt, model, comparison.docs[0])
    assert len(heads) == 4 and heads[0][0] == pytest.approx([1.0])
    assert microgpt.softmax is softmax


# What speed/ideas.py compares


@pytest.mark.parametrize("variant", [*IDEAS.values(), "tape"])
def test_an_idea_taken_out_leaves_the_losses_alone(variant):
    comparison = Comparison(BOOK, 1)
    losses = list(islice(comparison.steps(variant), 4))
    assert losses == pytest.approx(list(islice(comparison.steps(), 4)), abs=1e-12)


def test_the_pass_by_hand_has_the_same_losses():
    comparison = Comparison(BOOK, 1)
    by_hand = list(islice(comparison.by_hand(), 8))
    assert by_hand == pytest.approx(list(islice(comparison.steps(), 8)), abs=1e-12)


def test_what_does_more_takes_longer():
    assert memory.ratio(lambda: [*range(50_000)], lambda: None, 3)["times"] > 2


# Tables


def test_the_tables_in_the_book_are_up_to_date(results):
    text = BOOK.read_bytes().decode("utf-8")
    assert tables.rewrite(text, results) == text, "run python -m experiments.tables"


def test_the_figures_in_sentences_are_those_of_the_results(results):
    own, published = results["own"], results["published"]
    later = published["attention later"]
    worst = max(head["held out without"] for head in later["heads"].values())
    start, end = (own["checkpoints"][step] for step in ("0", "1000"))
    gaps = [point["held out"] - point["train"] for point in (start, end)]
    nonsense = own["nonsense"]
    ways = results["speed"]["other ways"]
    slower = {name: r["times"] for name, r in results["speed"]["memory"].items()}
    sentences = [
        f"{nonsense['real is likelier']:.0%}".replace("%", " %")
        + f" of {nonsense['pairs']} names that were held out",
        f"rises from {later['held out']:.3f} to {worst:.3f}",
        f"ahead of the mixed tables by {mixed_tables(results, 'own', '1000')}.",
        f"of the model, by {mixed_tables(results, 'published', '1000')}, and",
        f"less but by more, {mixed_tables(results, 'published', '5000')}.",
        f"the gap was {gaps[0]:.3f} at the start and is {gaps[1]:.3f} at the end",
        f"found it {ways['by hand, times faster']['times']:.1f} times",
        f"a step is about {ways['the tape, times faster']['times']:.1f} times as quick",
        f"took about {slower['shuffled']:.0f} times as long. The numbers are the same",
        f"takes about {slower['a float each']:.0f} times as long as to add up one",
        f"fields, takes about {slower['a value each']:.0f} times as long, and",
    ]
    prose = " ".join(BOOK.read_text(encoding="utf-8").split())
    assert not [sentence for sentence in sentences if sentence not in prose]


def mixed_tables(results, which, steps):
    """Return how far the mixed tables and the model are apart, as the book says it."""
    model = tables.trial_losses(results, which, steps, "baseline")
    mixed = tables.ladder_losses(results, which, "mixed", "tuned", steps)
    mean, error = tables.paired(model, mixed)
    assert (mean > 0) == (which == "own")  # who is ahead
    return f"{abs(mean):.3f} ± {error:.3f}"


def test_what_the_book_says_of_the_parts_is_what_was_found(results):
    def losses(which, name, steps="1000"):
        return tables.trial_losses(results, which, steps, name)

    def change(which, name, steps="1000"):
        return tables.trial_change(results, which, name, steps)

    lists = ("own", "published")

    def worse(which, name):
        return sum(map(float.__gt__, losses(which, name), losses(which, "baseline")))

    own, published = (change(w, "no attention") for w in ("own", "published"))
    both = [change(which, "letters only")[0] for which in ("own", "published")]
    rates = [b - a for a, b in zip(losses("published", "baseline"),
                                   losses("published", "rate 0.1"))]  # fmt: skip
    later = [change(w, "no attention", "5000")[0] for w in ("own", "published")]
    sentences = [
        f"program alone wanders by {statistics.stdev(losses('own', 'baseline')):.3f},",
        f"loses {own[0]:.4f} on the book's list and {published[0]:.4f} on the other",
        f"in {sum(worse(w, 'no attention') for w in lists)} of the 24 pairs",
        f"{both[0]:.3f} and {both[1]:.3f}, more than for anything else",
        f"it cost {min(rates):.3f} in the luckiest deal and {max(rates):.3f} in the",
        f"costs {later[0]:.4f} on the book's list and {later[1]:.4f} on the published",
    ]
    prose = " ".join(BOOK.read_text(encoding="utf-8").split())
    assert not [sentence for sentence in sentences if sentence not in prose]
    for which in ("own", "published"):
        parts = {name: change(which, name) for name in tables.PARTS}
        for name in ("no residuals", "tied head", "no norms", "no first norm"):
            assert parts[name][0] > 8 * parts[name][1]  # "clearly worse on both lists"
        assert max(parts, key=parts.get) == "letters only"
        assert parts["no attention"][0] < parts["no residuals"][0] / 10
        for name in ("no decay", "rate 0.001", "rate 0.1"):
            assert change(which, name)[0] > 10 * parts["no attention"][0]
    ratio = change("published", "no positions")[0] / change("own", "no positions")[0]
    assert 2.5 < ratio < 3.5  # "three times as much"
    layers = {which: change(which, "two layers", "5000") for which in lists}
    for mean, error in layers.values():
        assert abs(mean) < 2 * error  # "can still not be told from noise"
    assert layers["published"][0] < -1.9 * layers["published"][1]  # "the very edge"
    mlp = {which: change(which, "no MLP") for which in ("own", "published")}
    assert abs(mlp["own"][0]) < 2 * mlp["own"][1]  # "no worth at all"
    assert 0 < mlp["published"][0] < 0.003  # "hardly any"
    changes = [*tables.PARTS, *tables.TRAINING, *tables.SIZES]
    assert 48 <= 2 * len(changes) <= 56  # "the fifty changes in these tables"
    wide = [change(which, "n_embd 32")[0] for which in ("own", "published")]
    assert wide[0] > 0 > wide[1]
    others = [name for name in tables.SIZES if not name.startswith("n_embd")]
    assert all(round(abs(change(w, n)[0]), 3) <= 0.003 for w in lists for n in others)
    mean, error = change("published", "two layers")
    assert round(mean, 3) == -0.003 and tables.is_clear(mean, error)  # "and sure"
    deviation = statistics.stdev(losses("own", "baseline"))
    small = [name for name in parts if change("own", name)[0] <= deviation]
    assert (len(small), len(parts)) == (4, 9)  # "nearly half of the parts"
    assert change("own", "narrow MLP")[0] < 0.7 * change("own", "SwiGLU")[0] < 0
    for which in lists:
        counted = statistics.fmean(
            tables.ladder_losses(results, which, "bigram", "add one")
        )
        assert statistics.fmean(losses(which, "SGD, rate 0.01")) > counted


def test_what_the_book_says_of_stage_4_without_its_parts(results):
    found = {
        variant: tables.without(results, "own", variant)
        for variant in ("no-attention", "no-positions", "letters-only")
    }
    whole = tables.stage_losses(results, "own", "stage4_attention")
    small = [
        tables.paired(whole, found[v])[0] for v in ("no-attention", "no-positions")
    ]
    assert max(small) < 0.01  # "it hardly changes"
    both = statistics.fmean(found["letters-only"])
    assert f"the loss is {both:.3f}, no" in " ".join(BOOK.read_text("utf-8").split())
    counted = statistics.fmean(tables.stage_losses(results, "own", "stage1_counts"))
    assert counted < both < counted + 0.02  # "no better than that of the table"


def test_what_the_book_says_of_newer_ideas_is_what_was_found(results):
    found = {name: cells for name, *cells in tables.newer(results)}
    worse = ("weight decay", "pairs as tokens")
    better = ("SwiGLU", "batches, 1,000 steps")
    for name in (*worse, *better):
        signs = {cell[0] for cell in found[name][:2]}
        assert signs == ({"+"} if name in worse else {tables.MINUS})
        assert found[name][2] == "own, published"
    for name in ("rotary positions", "shared keys and values"):
        assert found[name][2] == "neither"
    assert len(found) - 2 == 9  # the header and the first row are no changes
    batch, single = (
        tables.trial_losses(results, "own", "1000", name)
        for name in ("batches, 1,000 steps", "no batches, 4,000 steps")
    )
    assert round(tables.paired(batch, single)[0], 3) == 0.003
    for merged in (results[which]["merges"] for which in ("own", "published")):
        assert 0.75 < merged["tokens a letter"] < 0.85
        assert "s+h" in merged["pairs"]
    assert "c+h" in results["own"]["merges"]["pairs"]
    assert "an+n" in results["published"]["merges"]["pairs"]


def test_what_the_book_says_of_the_places_is_what_was_found(results):
    runs = results["own"]["places"]
    losses = [runs[steps]["held out"] for steps in ("300", "1000", "3000")]
    assert losses[0] > losses[2] > losses[1]
    prose = BOOK.read_text(encoding="utf-8").partition("## A list of your own")[2]
    shown = prose.partition("```text\nsample  1: ")[2].partition("\n```")[0]
    names = [line.partition(": ")[2] or line for line in shown.split("\n")]
    assert names == runs["1000"]["said"][:6]
    kept = runs["300"]["one accent in the list"]
    assert f"Of our {kept + 1} places {kept} keep the rule" in " ".join(prose.split())


@pytest.mark.parametrize("name", tables.TABLES)
def test_every_table_can_be_made_and_fits_a_phone(name, results):
    rows = tables.TABLES[name](results)
    assert 2 <= len(rows[0]) <= 4
    assert {len(row) for row in rows} == {len(rows[0])}
    assert "None" not in str(rows)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_only_what_is_between_the_markers_changes(newline, results):
    lines = ["a", "", "<!-- table: facts -->", "old", "<!-- end of table -->", "", "b "]
    text = tables.rewrite(newline.join(lines), results)
    made = tables.lines_of("facts", results, "")
    expected = [*lines[:3], "", *made, "", *lines[4:]]
    assert text == newline.join(expected)
    assert tables.rewrite(text, results) == text


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["<!-- table: fats -->", "<!-- end of table -->"], "book:2: .*no table"),
        (["<!-- table: facts -->", "text"], "book:2: .*not end"),
        (["<!-- table: facts -->"] * 2, "book:2: .*not end"),
        (["<!-- end of table -->"], "book:2: no table begins"),
    ],
)
def test_a_wrong_marker_is_an_error_with_its_line(lines, problem, results):
    with pytest.raises(tables.TableError, match=problem):
        tables.rewrite("\n".join(["text", *lines, ""]), results, "book")


def test_the_command_checks_and_writes(results, tmp_path, monkeypatch, capsys):
    book = tmp_path / "book.md"
    book.write_text("<!-- table: facts -->\n<!-- end of table -->\n", encoding="utf-8")

    def command(*arguments):
        monkeypatch.setattr("sys.argv", ["tables", "--document", str(book), *arguments])
        return tables.main()

    assert command("--check") == 1
    assert command() == 0
    assert "2,600" in book.read_text(encoding="utf-8")
    assert command("--check") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["book.md"]


# Letters


def test_power_iteration_finds_the_axes_of_a_tilted_cloud():
    rows = [[3 * a + 1, 4 * a - 2, b] for a in (-2, -1, 0, 1, 2) for b in (-1, 1)]
    axes, shares = letters.principal_axes(rows)
    assert [abs(x) for x in axes[0]] == pytest.approx([0.6, 0.8, 0])
    assert [abs(x) for x in axes[1]] == pytest.approx([0, 0, 1])
    assert shares == pytest.approx([500 / 510, 10 / 510])
    assert letters.seen_along(axes, rows)[0] == pytest.approx([-10, -1], rel=1e-6)


def test_letters_are_compared_by_kind():
    rows = {"a": [1, 0.1], "e": [1, 0], "b": [-1, 0], "c": [-1, 0.1], "i": [1, -0.1]}
    rows |= {"o": [1, 0.2], "u": [0, 1], "d": [0.1, 1], "BOS": [9, 9]}
    found = letters.compare(rows)
    assert found["vowel to vowel"] > 0 > found["vowel to consonant"]
    assert found["beside a vowel"] == 4  # next to u stands d
    assert letters.cosine([2, 0], [0, 3]) == 0 and letters.nearest("b", rows) == "c"


def test_letters_begin_as_recorded(results):
    rows = letters.rows_of_letters("own", 42, 0)
    assert letters.compare(rows) == results["own"]["likeness"]["42"]["start"]


# Figures


@pytest.mark.parametrize("name", figures.FIGURES)
def test_a_figure_is_up_to_date_and_can_be_read(name, results):
    path = figures.FOLDER / name
    drawn = figures.FIGURES[name](results)
    assert path.read_text(encoding="utf-8") == drawn, (
        "run python -m experiments.figures"
    )
    svg = ElementTree.fromstring(drawn)
    assert svg.attrib["viewBox"].startswith("0 0 360 ")
    assert svg.find(f"{SVG}title").text and svg.find(f"{SVG}desc").text
    assert not re.search(r"\bnan\b", drawn)
    assert svg.find(f"{SVG}style").text.count("--ink:") == 2, "light and dark"
    sizes = re.findall(r'font-size="(\d+)"', drawn)
    assert min(map(int, sizes)) >= 12, "11 pixels are left of 12 in a lab on a phone"


def test_the_captions_say_what_the_figures_compute(results):
    stands = learning.downhill()
    powers, shares = list(learning.softmax_stages().values())[1:]
    _, weights, mix = machine.looked_back()
    sizes, plane = results["own"]["stream"], results["own"]["plane"]
    likeness = {w: results[w]["likeness"].values() for w in ("own", "published")}
    beside = {w: sum(d["end"]["beside a vowel"] for d in likeness[w]) for w in likeness}
    rates = {
        r: learning.height(learning.plain_path(r / 1000)[-1]) for r in range(1, 41)
    }
    assert min(rates, key=rates.get) == 1000 * learning.PLAIN_RATE
    assert shares[0] / shares[1] == pytest.approx(powers[0] / powers[1])
    assert len(likeness["own"]) == len(run.DEALS) == 12
    assert all(deal["end"]["at one end"] == 5 for deal in likeness["own"])
    sentences = [
        f"the curve is at {learning.result(2.1):.2f} and the line at "
        f"{learning.tangent(2.1):.2f}",
        f"at {learning.result(2.5):.2f} and {learning.tangent(2.5):.2f}",
        f"from a height of {stands[0] ** 2:.2f} to one of {stands[-1] ** 2:.2f}",
        f"grows by the same {math.log(2):.2f}",
        f"its probability is {shares[0] / shares[1]:.2f} times as large",
        f"gets {weights[1]:.0%} of the weight".replace("%", " %"),
        f"still gets {weights[0]:.0%}".replace("%", " %"),
        f"comes to rest at ({mix[0]:.2f}, {mix[1]:.2f})",
        f"begin at a height of {learning.height(learning.START):.0f} and take "
        f"{learning.STEPS} steps",
        f"With a rate of {learning.PLAIN_RATE} it ends at {rates[38]:.2f}",
        f"with a rate of {learning.ADAM_RATE}, swings wide once and ends at "
        f"{learning.height(learning.adam_path()[-1]):.2f}",
        f"it ends at {learning.height(learning.adam_path(0.1)[-1]):.2f}, because",
        f"The stream starts at {sizes['stream']:.2f}",
        f"adds numbers of size {sizes['attention adds']:.2f}, and the MLP some of size "
        f"{sizes['MLP adds']:.2f}",
        f"holds {plane['shares'][0]:.0%} of all the spread".replace("%", " %"),
        f"a vowel {beside['own']} times in 60, where blind chance gives "
        f"{60 * 4 / 25:.1f}",
        f"it is so {beside['published']} times",
    ]
    prose = " ".join(BOOK.read_text(encoding="utf-8").split())
    assert not [sentence for sentence in sentences if sentence not in prose]


def test_the_map_is_as_it_is_described(results):
    across = {name: x for name, (x, _) in results["own"]["plane"]["places"].items()}
    *others, y, q, bos, lowest = sorted(across, key=across.get)[:-4]
    assert (y, q, bos) == ("y", "q", "BOS") and lowest in letters.VOWELS
    assert not set(others) & set(letters.VOWELS)
    assert across[lowest] - across[bos] > 0.4


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear))


def contrast(*pair):
    dark, light = sorted(map(luminance, pair))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["default", "slate"])
def test_the_colours_of_the_drawings_can_be_read(scheme):
    colours = drawing.colours()[scheme]
    for kind in (*machine.MEANINGS, "above", "below", "ink", "ink-soft"):
        for paper in ("paper", "paper-deep"):
            assert contrast(colours[kind], colours[paper]) >= 4.5, (kind, paper)
    for kind in machine.MEANINGS:
        mixed = [
            round(0.4 * int(colours[kind][i : i + 2], 16)
                  + 0.6 * int(colours["paper-deep"][i : i + 2], 16))
            for i in (1, 3, 5)
        ]  # fmt: skip
        ground = "#" + "".join(f"{channel:02x}" for channel in mixed)
        assert contrast(colours["ink"], ground) >= 4.5, "numbers on a heat map"


def test_the_drawings_of_the_book_speak_one_language():
    text = BOOK.read_text(encoding="utf-8")
    diagrams = re.findall(r"```mermaid\n(.*?)```", text, re.DOTALL)
    kinds = {kind for drawn in diagrams for kind in re.findall(r":::([\w-]+)", drawn)}
    assert kinds == set(machine.MEANINGS)
    shapes = {"query": "/]", "key": "\\]", "value": "])", "mlp": "}}", "loss": "))"}
    for drawn in diagrams:
        for end, kind in re.findall(r"(..):::([\w-]+)", drawn):
            assert end.replace('"', "")[-1:] in shapes.get(kind, end), (end, kind)


def test_what_the_chapter_on_engines_says_of_the_table(results):
    speed = {name: ratio["times"] for name, ratio in results["engines"].items()}
    assert speed["vectors"] / speed["program"] > 1.4
    assert speed["tape"] < speed["vectors"]
    assert speed["torch 1"] < speed["numpy 1"]
    assert speed["numpy 256"] < speed["numpy 32"]
    assert speed["torch 32, two processes"] < speed["torch 32"]
    gain = speed["torch 256, two processes"] / speed["torch 256"]
    assert 1.2 < gain < 1.3
    prose = " ".join(BOOK.read_text(encoding="utf-8").split())
    assert "With 256 names they gain a quarter" in prose


def test_what_the_book_says_of_the_larger_model(results, published):
    found, growth = results["larger"], results["speed"]["growth"]
    prose = " ".join(BOOK.read_text(encoding="utf-8").split())
    assert f"{found['parameters']:,} parameters" in prose
    assert f"A loss of {found['losses']['10000']['held out']:.3f}" in prose
    four, six = (found["counting"][letters] for letters in "46")
    assert f"reach {four:.3f} with up to four letters and {six:.3f} with" in prose
    once, end = (found["says"][step]["0.5"] for step in ("1000", "10000"))
    said = re.search(r"usual temperature of 0\.5: ([^.]+)\.", prose)[1].split(", ")
    assert said == sorted(end["first"])
    new = [name for name in said if not end["first"][name]]
    assert f"Only {' and '.join(new)} are new. Of a thousand names" in prose
    assert found["said"] == 1000
    assert f"{end['new'] / 10:.0f} % are new, and of the program's" in prose
    assert f"once through the list, {once['new'] / 10:.0f} % are new" in prose
    listed = found["said"] - end["new"]
    assert f"{listed} of the thousand stand in the list, and of these only" in prose
    known, (docs, held_out) = {*documents("published")}, split("published", 0)
    share = len({*held_out} - {*docs}) / len(known)
    assert f"{end['held out']} are names that were held out" in prose
    assert f"By chance it would be {listed * share:.0f}." in prose
    longer = growth["n_embd 64"]["times"] * growth["n_layer 4"]["times"]
    assert 65 < longer < 75 and 21_000 < 320 * longer < 24_000
