#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what people read to plain English: short sentences in the docs, no knots anywhere.

Two rules, each with a limit for each part of the tree. A limit may go down, never up.

- A sentence of the README or of docs/ has at most 25 words.
- Comments, strings and docs use none of the patterns in PATTERNS, which make readers stumble.

    english.py               checks both, and lists what is above a limit
    english.py sentences     lists every long sentence
    english.py patterns      lists every pattern that is found
    english.py count REV     counts long sentences in the docs of a revision
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MAX_WORDS = 25

# What a part of the tree may still have. The longest name that a path begins with counts.
SENTENCE_LIMITS = {
    "": 0,
}
PATTERN_LIMITS = {
    "": 0,
}

# The name of a pattern and what finds it in a text, whose white space is single spaces.
PATTERNS = {
    "is none": re.compile(r"\b(?:is|are|was|were|be) none\b", re.I),
    "to be had": re.compile(r"\bto be had\b", re.I),
    "amid": re.compile(r"\bamid\b", re.I),
    "anew": re.compile(r"\banew\b", re.I),
    "untold": re.compile(r"\buntold\b", re.I),
    "told": re.compile(r"(?<![.:])\btold\b(?! apart)", re.I),
    "likewise": re.compile(r"\blikewise\b", re.I),
    "that one's": re.compile(r"\b(?:that one|none)'s\b", re.I),
}
# Patterns at the beginning of a sentence. A question may begin with What.
OPENINGS = {
    "Who or What as a subject": re.compile(r"(?:Who|What|Whoever|Whatever)\b(?!.*\?$)"),
    "Of at the beginning": re.compile(r"Of (?!course\b)"),
}
# The texts of STYLE's table that had to go. Each is long enough to be found by itself.
REWRITTEN = (
    "takes them out of the socket is followed doing so",
    "has received before it keeps",
    "commands have records, all or so far",
    "False for a copy whose writer",
    "of one that is gone it is of no use",
    "Where that program is not",
    "if it tells",
)

SOURCES = {".h", ".c", ".cc"}
SCRIPTS = {".sh", ".cmake", ".yml", ".yaml"}
FOLDERS = ("include", "bpf", "collector", "tests", "scripts", "cmake", "dashboards", "docs")
# It names the patterns that it looks for.
EXEMPT = "tests/docs/"


# Markdown

def blocks(markdown):
    """The paragraphs and list items of a page, without headings, tables, code and comments."""
    text = re.sub(r"<!--.*?-->", "", markdown, flags=re.S)
    text = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.M | re.S)
    block = []
    for line in [*text.splitlines(), ""]:
        is_code = line.startswith("    ") and not block
        is_apart = not line.strip() or is_code or re.match(r"#|\||-{3,}$|!\[", line)
        if is_apart or re.match(r"\s*(?:[-*]|\d+\.) ", line):
            if block:
                yield " ".join(block)
            block = []
        if not is_apart:
            block.append(re.sub(r"^\s*(?:[-*]|\d+\.) ", "", line).strip())


def plain(block):
    """A block as it is read: a code span is one word, a link is its text."""
    block = re.sub(r"`[^`]*`", "CODE", block)
    block = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", block)
    return re.sub(r"\*+", "", block)


def sentences(text):
    """A sentence ends at a full stop, a question or an exclamation mark with white space behind."""
    text = re.sub(r"\s+", " ", text).strip()
    return [each for each in re.split(r"(?<!e\.g\.)(?<!i\.e\.)(?<=[.!?])[)\"']?\s+", text) if each]


def words(sentence):
    return [word for word in sentence.split() if re.search(r"[A-Za-z0-9]", word)]


def long_sentences(markdown):
    return [each for block in blocks(markdown) for each in sentences(plain(block))
            if len(words(each)) > MAX_WORDS]


def is_page(path):
    return path == "README.md" or path == "CHANGELOG.md" or (
        path.endswith(".md") and path.startswith(("docs/", "dashboards/")))


# Comments and strings

C_TOKEN = re.compile(r"""
    //[^\n]*(?:\n[ \t]*//[^\n]*)*            # lines of comments that follow each other are one
  | /\*.*?\*/
  | R"\w*\(.*?\)\w*"
  | "(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*
  | '(?:[^'\\\n]|\\.)*'
""", re.X | re.S)


def c_texts(text):
    for match in C_TOKEN.finditer(text):
        token, line = match.group(), text.count("\n", 0, match.start()) + 1
        if token.startswith("//"):
            yield line, re.sub(r"^[ \t]*//+", "", token, flags=re.M)
        elif token.startswith("/*"):
            yield line, re.sub(r"^[ \t]*\*", "", token[2:-2], flags=re.M)
        elif not token.startswith(("'", "R")):
            yield line, "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', token)).replace("\\n", " ")


def hash_texts(text):
    """Comments behind # of shell, CMake and YAML, and their strings."""
    comment, begin = [], 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        match = re.match(r"\s*#(?!!) ?(.*)", line)
        if match:
            begin = begin if comment else number
            comment.append(match.group(1))
            continue
        if comment:
            yield begin, "\n".join(comment)
        comment = []
        for string in re.findall(r'"((?:[^"\\]|\\.)*)"', line):
            yield number, string


def python_texts(text):
    comment, begin, end = [], 0, 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            if comment and token.start[0] == end + 1:
                comment.append(token.string[1:])
            else:
                if comment:
                    yield begin, "\n".join(comment)
                comment, begin = [token.string[1:]], token.start[0]
            end = token.start[0]
        elif token.type == tokenize.STRING and not token.string.lower().startswith(("f", "rf")):
            yield token.start[0], str(ast.literal_eval(token.string))
        elif token.type in (tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", None)):
            yield token.start[0], token.string.lstrip("rRfF").strip("\"'")
    if comment:
        yield begin, "\n".join(comment)


def texts(path, text):
    """(line, text) of everything in a file that a person reads."""
    suffix = Path(path).suffix
    if is_page(path):
        for block in blocks(text):
            yield 0, plain(block)
        for row in re.findall(r"^\|(.*)\|$", text, flags=re.M):
            for cell in row.split("|"):
                yield 0, plain(cell)
    elif suffix in SOURCES:
        yield from c_texts(text)
    elif suffix == ".py" or text.startswith("#!/usr/bin/env python"):
        yield from python_texts(text)
    elif suffix in SCRIPTS or path.endswith("CMakeLists.txt") or text.startswith("#!"):
        yield from hash_texts(text)


def found_in(text):
    """The names of the patterns in a text. The line of the licence is not read."""
    text = re.sub(r"SPDX-License-Identifier:.*", "", text)
    text = re.sub(r"\s+", " ", text).strip()
    found = [name for name, pattern in PATTERNS.items() for _ in pattern.findall(text)]
    for sentence in sentences(text):
        found += [name for name, pattern in OPENINGS.items() if pattern.match(sentence)]
    return found + [phrase for phrase in REWRITTEN if phrase in text]


# The tree

def files():
    names = [*REPOSITORY.glob("*.md"), REPOSITORY / "CMakeLists.txt"]
    for folder in FOLDERS:
        names += (REPOSITORY / folder).rglob("*")
    for name in sorted(names):
        path = name.relative_to(REPOSITORY).as_posix()
        if name.is_file() and not path.startswith(EXEMPT) and "__pycache__" not in path:
            try:
                yield path, name.read_text()
            except UnicodeDecodeError:
                continue  # a picture


def all_long_sentences(tree):
    return [(path, each) for path, text in tree if is_page(path) for each in long_sentences(text)]


def all_patterns(tree):
    return [(path, line, name, re.sub(r"\s+", " ", text).strip())
            for path, content in tree for line, text in texts(path, content)
            for name in found_in(text)]


def part_of(path, limits):
    return max((part for part in limits if path.startswith(part)), key=len, default=None)


def above(found, limits):
    """{part: those found there}, of the parts that have more than their limit."""
    parts = {}
    for each in found:
        parts.setdefault(part_of(each[0], limits), []).append(each)
    return {part: those for part, those in parts.items() if len(those) > limits.get(part, 0)}


def show(found):
    for path, *rest in found:
        print(f"{path}: " + ": ".join(str(each) for each in rest))


def revision(name):
    """The docs of a revision."""
    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=REPOSITORY, check=True, text=True,
                              capture_output=True).stdout
    for path in git("ls-tree", "-r", "--name-only", name).splitlines():
        if is_page(path):
            yield path, git("show", f"{name}:{path}")


def main(arguments):
    command = arguments[0] if arguments else "check"
    if command == "count":
        tree = list(revision(arguments[1]))
        for path, text in tree:
            number = sum(len(sentences(plain(block))) for block in blocks(text))
            print(f"{len(long_sentences(text)):4} of {number:4} {path}")
        print(f"{len(all_long_sentences(tree)):4} in all")
        return 0
    tree = list(files())
    if command == "sentences":
        show(all_long_sentences(tree))
        return 0
    if command == "patterns":
        show(all_patterns(tree))
        return 0
    broken = 0
    for what, found, limits in (("long sentences", all_long_sentences(tree), SENTENCE_LIMITS),
                                ("patterns", all_patterns(tree), PATTERN_LIMITS)):
        for part, those in above(found, limits).items():
            broken += 1
            print(f"{part or 'the tree'} has {len(those)} {what}, and may have "
                  f"{limits.get(part, 0)}:")
            show(those)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
