# SPDX-License-Identifier: Apache-2.0
"""Pages are built with a Markdown parser, and their links lead somewhere."""

import re
import subprocess
import urllib.parse

import markdown_it
import pytest

from tests.scripts import programs

_ROOT = programs.ROOT


def _pages():
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = done.stdout.split() or [
        str(path.relative_to(_ROOT)) for path in _ROOT.glob("docs/**/*.md")
    ]
    return sorted(_ROOT / name for name in found)


def _tokens(path):
    parser = markdown_it.MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(path.read_text(encoding="utf-8"))
    return tokens, [x for token in tokens for x in token.children or ()]


def _links(path):
    """Returns where links and pictures of a page lead."""
    _, inline = _tokens(path)
    found = [x.attrGet("href") for x in inline if x.type == "link_open"]
    found += [x.attrGet("src") for x in inline if x.type == "image"]
    return [urllib.parse.unquote(str(link)) for link in found]


def _anchors(path):
    """Returns the anchors that GitHub gives to the headings of a page."""
    tokens, _ = _tokens(path)
    texts = [
        following.content
        for token, following in zip(tokens, tokens[1:], strict=False)
        if token.type == "heading_open"
    ]
    plain = [re.sub(r"[^\w\- ]", "", text.lower()) for text in texts]
    return {text.replace(" ", "-") for text in plain}


def _target(path, link):
    """Returns the file and the anchor of a link, None for the web."""
    if re.match(r"[a-z]+:", link):
        return None
    name, _, anchor = link.partition("#")
    return (path.parent / name).resolve() if name else path, anchor


@pytest.mark.parametrize(
    "path", _pages(), ids=lambda path: str(path.relative_to(_ROOT))
)
def test_links_lead_somewhere(path):
    for link in _links(path):
        found = _target(path, link)
        if found is None:
            assert link.startswith("https://"), link
            continue
        target, anchor = found
        assert target.is_relative_to(_ROOT), link
        assert target.exists(), link
        if anchor:
            assert anchor in _anchors(target), link


def test_every_page_of_the_docs_is_reached_from_the_readme():
    seen, waiting = set(), [_ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        targets = (_target(page, link) for link in _links(page))
        waiting += [
            found[0]
            for found in targets
            if found and found[0].suffix == ".md" and found[0].is_file()
        ]
    docs = {path for path in _pages() if path.is_relative_to(_ROOT / "docs")}
    assert docs <= seen
