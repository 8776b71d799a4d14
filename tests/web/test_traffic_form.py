"""The split's form: only what is edited changes, everything typed counts or is refused, whatever the split is like."""

from __future__ import annotations

import copy
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from console.knative.objects import Revision, Service
from console.knative.presets import presets
from console.sandbox.knative.validation.traffic import traffic_problems
from console.web.forms.traffic import TrafficForm, TrafficRow
from tests import factories

LAST = 40  # the newest revision; the form has rows for the newest ten only
REVISIONS = [Revision(factories.revision(number=number)) for number in range(1, LAST + 1)]
KNOWN = [revision.name for revision in REVISIONS]
GONE, FOREIGN = ("shop-00097", "shop-00098"), ("shop-api-00001",)
OWNERS = dict.fromkeys(FOREIGN, "shop-api")
TAGS = ("blue", "green", "old", "next", "a-1")
WRONG_PERCENTS = ("-1", "101", "12.5", "ten", "1e2", "٣")
WRONG_TAGS = ("Blue", "1st", "-x", "a" * 64, "a_b")

Entry = dict[str, Any]


def service(entries: list[Entry]) -> Service:
    raw = factories.service()
    raw["spec"]["traffic"] = entries
    raw["status"]["latestReadyRevisionName"] = KNOWN[-1]
    return Service(raw)


def form_of(found: Service, data: Mapping[str, str] | None = None) -> TrafficForm:
    return TrafficForm(found, REVISIONS, data, lambda name: OWNERS.get(name, ""))


def sent(form: TrafficForm) -> dict[str, str]:
    """What a browser sends of the form as it is shown."""
    data = {"rows": str(len(form.rows)), "seen": form.seen}
    for row in form.rows:
        data |= {f"name-{row.index}": row.name, f"percent-{row.index}": row.percent, f"tag-{row.index}": row.tag}
        data |= {f"entry-{row.index}": str(row.place)} if row.place is not None else {}
        data |= {f"extra-{row.index}": "1"} if row.is_extra else {}
        data |= {f"remove-{row.index}": "1"} if row.is_removed else {}
    return data


def written(found: Service, form: TrafficForm) -> list[Entry]:
    return list(form.change.apply(found).spec["traffic"])


def row_of(form: TrafficForm, name: str) -> TrafficRow:
    return next(row for row in form.rows if row.name == name)


def blank(form: TrafficForm) -> int:
    return form.rows[-1].index


@dataclass
class Edit:
    """What a person does to one entry; None leaves it alone."""

    percent: str | None = None
    tag: str | None = None
    is_removed: bool = False


@dataclass
class Further:
    """What a person adds: in a row that the page offers, or by a revision that they type."""

    index: int
    name: str
    percent: str
    tag: str
    is_typed: bool

    @property
    def says_something(self) -> bool:
        return bool(self.percent not in ("", "0") or self.tag or (self.is_typed and self.name))


class Sweep:
    """A random split that the webhook takes, and random edits of it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.entries = self.block()
        self.found = service(copy.deepcopy(self.entries))
        self.form = form_of(self.found)
        self.edits = [Edit() for _ in self.entries]
        self.further: list[Further] = []

    def block(self) -> list[Entry]:
        count = self.chance.randint(1, 7)
        tags = self.chance.sample(TAGS, min(count, len(TAGS))) + [""] * count
        entries = [self.entry(self.chance.choice([tags[place], ""])) for place in range(count)]
        for entry, percent in zip(entries, self.parts(count), strict=True):
            if percent or self.chance.random() < 0.5:
                entry["percent"] = percent
        self.chance.shuffle(entries)
        return entries

    def entry(self, tag: str) -> Entry:
        name = self.chance.choice([None, *KNOWN, *KNOWN[-5:] * 3, *GONE, *FOREIGN])
        entry: Entry = {} if name is None else {"revisionName": name}
        if name is None or self.chance.random() < 0.7:
            entry["latestRevision"] = name is None
        if tag:
            entry["tag"] = tag
        if self.chance.random() < 0.2:
            entry["fieldOfTomorrow"] = {"keep": [1, None, "x"]}
        return entry

    def parts(self, count: int) -> list[int]:
        """Percents that total 100, many of them 0."""
        found = [0] * count
        for _ in range(self.chance.randint(0, 3)):
            found[self.chance.randrange(count)] += self.chance.randint(0, 30)
        found[0] += 100 - sum(found)
        return found

    def edit(self) -> None:
        for edit in self.edits:
            what = self.chance.random()
            if what < 0.2:
                edit.percent = self.chance.choice(["", "0", "5", "50", " 50 %", "100", *WRONG_PERCENTS[:2]])
            if 0.1 < what < 0.3:
                edit.tag = self.chance.choice(["", "", *TAGS, *WRONG_TAGS[:2]])
            edit.is_removed = 0.3 < what < 0.4
        offered = [row for row in self.form.rows if row.entry is None and row.name]
        for row in self.chance.sample(offered, self.chance.choice([0, 0, 1])):
            self.add(row.index, row.name, is_typed=False)
        for index in self.chance.sample(range(len(self.form.rows), 99), self.chance.choice([0, 0, 1, 2])):
            name = self.chance.choice([*KNOWN, "", "@latest", *GONE, *FOREIGN])
            self.add(index, name, is_typed=True)  # rows that the page's script has added
        if self.chance.random() < 0.8:
            self.balance()

    def add(self, index: int, name: str, *, is_typed: bool) -> None:
        percent = self.chance.choice(["", "0", "10", "25", self.chance.choice(WRONG_PERCENTS)])
        self.further.append(Further(index, name, percent, self.chance.choice(["", "", *TAGS, "Not"]), is_typed))

    def balance(self) -> None:
        """Give one entry what is missing to 100, as a person would."""
        if self.is_unreadable:
            return
        missing = 100 - sum(entry.get("percent") or 0 for entry in self.wanted())
        for entry, edit in zip(self.entries, self.edits, strict=True):
            value = missing + (read(edit.percent) if edit.percent is not None else entry.get("percent") or 0)
            if missing and not edit.is_removed and 0 <= value <= 100:
                edit.percent = str(value)
                return

    @property
    def data(self) -> dict[str, str]:
        """What the browser sends."""
        data = sent(self.form)
        for place, edit in enumerate(self.edits):
            data |= {f"percent-{place}": edit.percent} if edit.percent is not None else {}
            data |= {f"tag-{place}": f" {edit.tag}"} if edit.tag is not None else {}
            data |= {f"remove-{place}": "1"} if edit.is_removed else {}
        for row in self.further:
            data |= {f"name-{row.index}": row.name, f"percent-{row.index}": row.percent, f"tag-{row.index}": row.tag}
            data |= {f"extra-{row.index}": "1"} if row.is_typed else {}
        return data

    @property
    def is_unreadable(self) -> bool:
        """Something is typed that no split can say."""
        percents = [edit.percent for edit in self.edits if not edit.is_removed] + [row.percent for row in self.further]
        return any(text in WRONG_PERCENTS for text in percents) or any(
            row.says_something and not row.name for row in self.further
        )

    @property
    def is_unroutable(self) -> bool:
        """Traffic or a tag is given to a revision that is not there, or is another service's."""
        more = [
            entry
            for entry, edit in zip(self.entries, self.edits, strict=True)
            if not edit.is_removed and edit.percent is not None and read(edit.percent) > (entry.get("percent") or 0)
        ]
        added = [row.name for row in self.further if row.says_something]
        return bool({*GONE} & {entry.get("revisionName", "") for entry in more}) or bool({*GONE, *FOREIGN} & {*added})

    def wanted(self) -> list[Entry]:
        """The split that was asked for, entry by entry."""
        found = []
        for entry, edit in zip(self.entries, self.edits, strict=True):
            changed = copy.deepcopy(entry)
            if edit.percent is not None and read(edit.percent) != (entry.get("percent") or 0):
                changed["percent"] = read(edit.percent)
            if edit.tag is not None and edit.tag != entry.get("tag", ""):
                changed["tag"] = edit.tag
            is_emptied = changed != entry and not changed.get("percent") and not changed.get("tag")
            if not (edit.is_removed or is_emptied):
                found.append({key: value for key, value in changed.items() if (key, value) != ("tag", "")})
        for row in sorted(self.further, key=lambda row: row.index):
            if row.says_something:
                entry = {
                    "latestRevision": row.name == "@latest",
                    "revisionName": row.name,
                    "percent": read(row.percent),
                }
                entry |= {"tag": row.tag} if row.tag else {}
                left_out = {"revisionName"} if row.name == "@latest" else set()
                left_out |= set() if row.percent else {"percent"}
                found.append({key: value for key, value in entry.items() if key not in left_out})
        return found


def read(percent: str) -> int:
    """What a person means by it; what cannot be read is nothing here."""
    return 0 if percent in WRONG_PERCENTS else int(percent.strip(" %") or 0)


@pytest.mark.parametrize("seed", range(300))
def test_an_edited_split_is_exactly_what_was_asked_or_refused_as_the_cluster_refuses_it(seed: int) -> None:
    sweep = Sweep(seed)
    assert traffic_problems(sweep.entries, has_configuration=True) == [], "the split before is a legal one"
    sweep.edit()
    form = form_of(sweep.found, sweep.data)
    is_refused = bool(traffic_problems(sweep.wanted(), has_configuration=True))
    assert form.is_valid() == (not (sweep.is_unreadable or sweep.is_unroutable or is_refused))
    if form.is_valid():
        assert written(sweep.found, form) == sweep.wanted()
    typed = [value.strip() for key, value in sweep.data.items() if key.startswith(("percent-", "tag-"))]
    kept = [value.strip() for row in form.rows for value in (row.percent, row.tag)]
    assert sorted(set(typed) - {"", "0"}) == sorted(set(kept) - {"", "0"}), "nothing that was typed is lost"


def test_the_sweep_meets_every_kind_of_answer() -> None:
    answers = set()
    for seed in range(300):
        sweep = Sweep(seed)
        sweep.edit()
        form = form_of(sweep.found, sweep.data)
        is_changed = form.is_valid() and written(sweep.found, form) != sweep.entries
        codes = {problem.code for problem in [*form.problems, *(one for row in form.rows for one in row.problems)]}
        answers |= codes or {"changed" if is_changed else "unchanged"}
    assert answers == {
        "changed",
        "unchanged",
        "sum",
        "percent-range",
        "percent-not-a-number",
        "tag-invalid",
        "tag-duplicate",
        "revision-needed",
        "revision-unknown",
        "revision-foreign",
    }


@pytest.mark.parametrize("seed", range(300, 400))
def test_an_untouched_form_changes_nothing(seed: int) -> None:
    sweep = Sweep(seed)
    form = form_of(sweep.found, sweep.data)
    assert form.is_valid()
    assert form.change.apply(sweep.found).raw == sweep.found.raw


@pytest.mark.parametrize("seed", range(400, 500))
def test_an_untouched_form_leaves_what_others_did_while_it_was_open(seed: int) -> None:
    now = service(Sweep(seed + 1000).entries)
    form = form_of(now, Sweep(seed).data)
    assert form.is_valid()
    assert form.change.apply(now).raw == now.raw


def test_an_edit_meets_the_split_as_it_is_now() -> None:
    shown = form_of(
        service([{"revisionName": "shop-00003", "percent": 90}, {"revisionName": "shop-00004", "percent": 10}])
    )
    data = sent(shown) | {"percent-0": "80", "percent-1": "20"}
    now = service(
        [
            {"revisionName": "shop-00001", "tag": "theirs"},
            {"revisionName": "shop-00004", "percent": 10, "tag": "theirs-too"},
            {"revisionName": "shop-00003", "percent": 90},
        ]
    )
    form = form_of(now, data)
    assert form.is_valid()
    assert written(now, form) == [
        {"revisionName": "shop-00001", "tag": "theirs"},
        {"revisionName": "shop-00004", "percent": 20, "tag": "theirs-too"},
        {"revisionName": "shop-00003", "percent": 80},
    ]


def test_an_edit_that_no_longer_fits_is_shown_beside_what_others_did() -> None:
    shown = form_of(
        service([{"revisionName": "shop-00003", "percent": 90}, {"revisionName": "shop-00004", "percent": 10}])
    )
    data = sent(shown) | {"percent-0": "80", "percent-1": "20"}
    form = form_of(
        service([{"revisionName": "shop-00003", "percent": 50}, {"latestRevision": True, "percent": 50}]), data
    )
    assert not form.is_valid()
    assert [problem.code for problem in form.problems] == ["sum"]
    rows = {row.name: row.percent for row in form.rows if row.percent}
    assert rows == {"shop-00003": "80", "@latest": "50", "shop-00004": "20"}


def test_a_further_row_without_a_tag_counts() -> None:
    found = service([{"revisionName": "shop-00040", "percent": 100}])
    form = form_of(found)
    typed = {f"name-{blank(form)}": "shop-00002", f"percent-{blank(form)}": "25"}
    refused = form_of(found, sent(form) | typed)
    assert not refused.is_valid()
    assert refused.total == 125
    accepted = form_of(found, sent(form) | typed | {"percent-0": "75"})
    assert accepted.is_valid()
    assert [(t.revision, t.percent) for t in accepted.change.targets] == [("shop-00040", 75), ("shop-00002", 25)]


def test_a_share_without_a_revision_is_refused_beside_it() -> None:
    found = service([{"revisionName": "shop-00040", "percent": 100}])
    form = form_of(found)
    refused = form_of(found, sent(form) | {f"percent-{blank(form)}": "25", "percent-0": "75"})
    assert not refused.is_valid()
    assert [problem.code for problem in refused.rows[-1].problems + refused.rows[-2].problems] == ["revision-needed"]


def test_every_preset_gives_each_revision_the_share_that_it_names() -> None:
    found = service(
        [{"revisionName": "shop-00002", "percent": 60, "tag": "x"}, {"latestRevision": True, "percent": 40}]
    )
    found.raw["status"]["traffic"] = [{"revisionName": "shop-00002", "percent": 60}]
    shares = {preset.name.value: preset.shares for preset in presets(found, REVISIONS)}
    assert shares["canary-10"] == (("shop-00040", 10), ("shop-00002", 90))
    assert shares["50/25/25"] == (("shop-00040", 50), ("shop-00002", 25), ("shop-00039", 25))
    assert shares["latest"] == (("@latest", 100),)
    for preset in presets(found, REVISIONS):
        form = form_of(found)
        form.use(preset)
        pressed = form_of(found, sent(form))
        assert pressed.is_valid(), preset
        got = {target.name: target.percent for target in pressed.change.targets if target.percent}
        assert got == dict(preset.shares)
        assert [target.tag for target in pressed.change.targets if target.tag] == ["x"], "tags stay"


def test_a_preset_needs_as_many_ready_revisions_as_it_names() -> None:
    failed = factories.revision(number=41)
    failed["status"]["conditions"][2]["status"] = "False"
    found = service([{"latestRevision": True, "percent": 100}])
    names = [preset.name.value for preset in presets(found, [REVISIONS[-1], Revision(failed)])]
    assert names == ["latest"]


def test_a_revision_that_is_gone_or_anothers_is_named_and_can_be_edited_away() -> None:
    found = service(
        [
            {"revisionName": "shop-00040", "percent": 100},
            {"revisionName": GONE[0], "percent": 0, "tag": "old"},
            {"revisionName": FOREIGN[0], "percent": 0, "tag": "other"},
            {"revisionName": GONE[1]},
        ]
    )
    form = form_of(found)
    assert [(row.is_gone, row.owner) for row in form.rows[:4]] == [
        (False, ""),
        (True, ""),
        (False, "shop-api"),
        (True, ""),
    ]
    left = form_of(found, sent(form) | {"tag-1": "", "tag-2": "", "remove-3": "1"})
    assert left.is_valid()
    assert written(found, left) == [{"revisionName": "shop-00040", "percent": 100}]


def test_more_rows_than_fit_are_refused_and_not_cut_off() -> None:
    found = service([{"revisionName": "shop-00040", "percent": 100}])
    data = sent(form_of(found))
    data |= {f"name-{index}": "shop-00001" for index in range(100, 1500)}
    data |= {f"extra-{index}": "1" for index in range(100, 1500)}
    form = form_of(found, data)
    assert not form.is_valid()
    assert [problem.code for problem in form.problems] == ["too-many-rows"]


TAGGED = [
    {"revisionName": "shop-00003", "percent": 90, "tag": "stable", "latestRevision": False},
    {"revisionName": "shop-00040", "percent": 10, "tag": "canary", "latestRevision": False},
    {"revisionName": "shop-00040", "percent": 0, "tag": "next", "latestRevision": False, "fieldOfTomorrow": 1},
]


def lines(form: TrafficForm) -> list[tuple[str, int, list[str]]]:
    """What the page shows: revision, share, tags; without the revisions that are offered beside."""
    shown = [(one.row.name, one.row.share, [row.tag for row in (one.row, *one.tags)]) for one in form.targets]
    return [line for line in shown if line[1] or any(line[2])]


def test_the_tags_of_a_revision_are_in_its_line_and_two_shares_of_one_are_two_lines() -> None:
    assert lines(form_of(service(TAGGED))) == [
        ("shop-00003", 90, ["stable"]),
        ("shop-00040", 10, ["canary", "next"]),
    ]
    twice = [
        {"revisionName": "shop-00003", "percent": 0, "tag": "a"},
        {"revisionName": "shop-00003", "percent": 60},
        {"revisionName": "shop-00003", "percent": 40, "tag": "b"},
    ]
    assert lines(form_of(service(twice))) == [("shop-00003", 60, ["", "a"]), ("shop-00003", 40, ["b"])]


@pytest.mark.parametrize("seed", range(500, 560))
def test_every_row_is_on_the_page_once(seed: int) -> None:
    form = Sweep(seed).form
    shown = [row.index for one in form.targets for row in (one.row, *one.tags)]
    assert sorted(shown) == [row.index for row in form.rows]
    assert form.targets[-1].row.is_extra, "a script copies the last line"


def test_a_revision_gets_a_further_tag() -> None:
    found = service(TAGGED)
    form = form_of(found)
    form.add_tag("shop-00003")
    place = next(one.tags[0].index for one in form.targets if one.row.name == "shop-00003")
    assert form_of(found, sent(form)).is_valid(), "the field may be left empty"
    named = form_of(found, sent(form) | {f"tag-{place}": "safe"})
    assert named.is_valid()
    added = {"revisionName": "shop-00003", "latestRevision": False, "tag": "safe"}
    assert written(found, named) == [*TAGGED, added]


def test_a_tag_that_moves_takes_its_entry_along() -> None:
    found = service(TAGGED)
    form = form_of(found, sent(form_of(found)) | {"move-2": "shop-00003"})
    assert lines(form) == [("shop-00003", 90, ["stable", "next"]), ("shop-00040", 10, ["canary"])]
    assert form.is_valid()
    assert written(found, form) == [*TAGGED[:2], {**TAGGED[2], "revisionName": "shop-00003"}]
    again = form_of(found, sent(form))
    assert again.is_valid(), "the form with the tag moved can be sent again"
    assert written(found, again) == written(found, form)


def test_a_tag_that_moves_from_a_revision_with_a_share_leaves_the_share() -> None:
    found = service(TAGGED)
    form = form_of(found, sent(form_of(found)) | {"move-0": "@latest"})
    assert form.is_valid()
    left = {"revisionName": "shop-00003", "percent": 90, "latestRevision": False}
    assert written(found, form) == [left, *TAGGED[1:], {"latestRevision": True, "tag": "stable"}]


@pytest.mark.parametrize(("target", "code"), [(GONE[0], "revision-unknown"), (FOREIGN[0], "revision-foreign")])
def test_a_tag_moves_only_to_a_revision_of_the_service(target: str, code: str) -> None:
    found = service(TAGGED)
    form = form_of(found, sent(form_of(found)) | {"move-0": target})
    assert not form.is_valid()
    assert [problem.code for row in form.rows for problem in row.problems] == [code]


def test_a_row_gets_what_is_missing_to_a_hundred() -> None:
    found = service(TAGGED)
    data = sent(form_of(found)) | {"percent-0": "55"}
    form = form_of(found, data)
    form.fill(1, "shop-00040")
    assert form.total == 100
    assert row_of(form, "shop-00040").percent == "45"
    offered = row_of(form_of(found), "shop-00039")
    form = form_of(found, data)
    form.fill(offered.index, offered.name)
    assert row_of(form, "shop-00039").percent == "35", "a row without anything typed is found by its name"


def test_the_bars_are_of_the_revisions_that_latest_means() -> None:
    found = service([{"latestRevision": True, "percent": 40}, {"revisionName": "shop-00040", "percent": 60}])
    form = form_of(found, sent(form_of(found)) | {"percent-0": "10", "percent-1": "50"})
    assert [(share.revision, share.percent) for share in form.before] == [("shop-00040", 100)]
    assert [(share.revision, share.percent) for share in form.after] == [("shop-00040", 60)]
