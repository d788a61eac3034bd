"""The report: one page that needs no network, names every basis and escapes every name."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from simulator.display import duration_text, number_text, share_text
from simulator.figures import all_figures, figure_files, figures_of
from simulator.report import report_html
from simulator.report.by_cluster import cluster_table
from simulator.report.headline import headline
from simulator.results import Results
from tests.unit.results_sample import KEY, changed, sample

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """A page read as a browser would: its text, its attributes, and whether its tags match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def report_of(results: Results) -> str:
    return report_html(results, figure_files(results))


@pytest.fixture(scope="module")
def html() -> str:
    return report_of(sample())


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_every_tag_is_closed_and_every_identifier_is_unique(page: Page) -> None:
    assert page.open == []
    names = [attrs["id"] for _, attrs in page.seen if "id" in attrs]
    assert len(names) == len(set(names)) > 50


def test_references_inside_the_figures_hold(page: Page, html: str) -> None:
    names = {attrs["id"] for _, attrs in page.seen if "id" in attrs}
    used = set(re.findall(r"url\(#([^)]+)\)", html)) | set(re.findall(r'href="#([^"]+)"', html))
    assert used
    assert used <= names


def test_nothing_is_loaded(page: Page, html: str) -> None:
    assert not {"script", "link", "img", "iframe", "object", "embed"} & {t for t, _ in page.seen}
    assert not re.search(r"https?:|@import|url\((?!#)", html)
    [policy] = [a["content"] for _, a in page.seen if a.get("http-equiv")]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_every_figure_of_the_run_is_printed_with_its_basis(page: Page) -> None:
    results = sample()
    for row in headline(results):
        assert row.value in page.text
        assert row.basis in page.text
    for words in ("location-based", "market-based", "not given", "marginal", "straight-line"):
        assert words in page.text


def test_the_answer_comes_first(html: str) -> None:
    page = Page(html[: html.index("<h2")])
    assert "In 2 d the fleet drew 3.851 MWh of facility energy" in page.text
    assert "That is 1.075 t of CO2e" in page.text
    assert "location-based: average, life-cycle, CISO 2022 (EIA-930)" in page.text
    assert "it is part of no total" in page.text
    assert "Of 500 jobs, 499 started" in page.text


def test_the_figures_are_inline_and_say_what_they_show(page: Page) -> None:
    images = [attrs for tag, attrs in page.seen if tag == "svg"]
    drawn = figures_of(sample())
    assert len(images) == len(drawn) == len(all_figures()) - 1  # supply is for runs that have some
    for attrs, drawing in zip(images, drawn, strict=True):
        assert attrs["role"] == "img"
        assert drawing.describe(sample()) in str(attrs["aria-label"])
        assert "viewbox" in attrs


def test_assumptions_warnings_and_provenance_are_there(page: Page) -> None:
    results = sample()
    for row in results.assumptions:
        assert all(cell in page.text for cell in row)
    assert results.warnings[0] in page.text
    assert str(results.command) not in page.text
    assert "fleetsim run scenario.toml" in page.text
    assert KEY in page.text
    assert "ab" * 32 in page.text
    assert "numpy " in page.text


def test_markup_and_control_characters_in_names_do_nothing() -> None:
    evil = "<script>alert(1)</script>\x1b[31m\u202e&\"'"
    results = sample(clusters=("<b>bold</b>",), workloads=('"><svg onload=x>',))
    results = replace(
        changed(results, name=evil),
        basis={"average": evil, "marginal": evil},
        assumptions=((evil,) * 5,),
        warnings=(evil,),
        inputs=((evil, evil),),
        command=evil,
        key=evil,
    )
    html = report_of(results)
    page = Page(html)
    assert page.open == []
    assert "script" not in {tag for tag, _ in page.seen}
    assert not any(key.startswith("on") for _, attrs in page.seen for key in attrs)
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert r"<script>alert(1)</script>\x1b[31m\u202e&" in page.text


@pytest.mark.parametrize(
    "results",
    [
        sample(jobs=0, marginal=False),
        sample(hours=1, jobs=1, clusters=("a",)),
        replace(sample(), command=None, assumptions=(), warnings=(), inputs=(), basis={}),
        changed(sample(jobs=0), energy_it_kwh=0.0, energy_facility_kwh=0.0, pue=None),
    ],
)
def test_a_poor_run_has_a_report_too(results: Results) -> None:
    page = Page(report_of(results))
    assert page.open == []
    assert "None" not in page.text.replace("None are recorded", "")


def test_the_page_does_not_depend_on_the_command_line(html: str) -> None:
    assert report_of(replace(sample(), command="fleetsim run elsewhere.toml -o there")) == html


def test_clusters_stand_side_by_side_and_add_up_to_the_fleet() -> None:
    results = sample(clusters=("train", "serve"))
    table = cluster_table(results)
    assert [row[0] for row in table.rows] == ["train", "serve"]
    assert {row[1] for row in table.rows} == {"oregon"}
    assert [row[2] for row in table.rows] == ["128", "128"]
    assert (table.total[0], table.total[2]) == ("fleet", "256")
    frame = results.hourly
    kwh = frame.groupby("cluster", observed=True)["energy_facility_kwh"].sum()
    assert table.head[4] == "Energy [MWh]"
    assert [row[4] for row in table.rows] == [number_text(kwh[n] / 1000) for n in kwh.index]
    assert table.total[4] == number_text(kwh.sum() / 1000)
    assert table.total[3] == share_text(results.summary["allocation"])
    held = frame[frame["cluster"] == "train"]["gpus_allocated_mean"].mean() / 128
    assert table.rows[0][3] == share_text(held)
    jobs = results.jobs
    wait_h = jobs[jobs["cluster"] == "serve"]["wait_s"].mean() / 3600
    assert table.rows[1][7] == duration_text(wait_h)
    assert table.head[8:] == ("Awake", "Wake-ups")
    assert [row[8:] for row in table.rows] == [("80.0 %", "48")] * 2
    assert table.total[8:] == ("90.0 %", "96")
    page = Page(report_of(results))
    assert all(cell in page.text for row in (*table.rows, table.total) for cell in row)


def test_one_cluster_needs_no_total_and_no_job_no_wait() -> None:
    table = cluster_table(sample(clusters=("a",), jobs=0))
    assert table.total == ()
    assert table.rows[0][7] == "none started"


def test_a_fleet_that_never_sleeps_has_no_columns_of_sleep() -> None:
    results = sample()
    capacity = results.summary["gpu_hours_capacity"]
    table = cluster_table(changed(results, gpu_hours_awake=capacity))
    assert len(table.head) == len(table.total) == len(table.rows[0]) == 8


def test_a_year_stays_small_and_the_same_run_gives_the_same_page() -> None:
    year = sample(hours=8760, jobs=20_000, clusters=("west", "east", "texas"))
    html = report_of(year)
    assert len(html.encode()) < 700_000
    assert report_of(year) == html


def test_the_page_holds_no_wall_time(html: str) -> None:
    assert report_of(replace(sample(), wall_s=98765.4321)) == html
