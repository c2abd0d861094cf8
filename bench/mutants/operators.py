"""Small faults, one at a time: what a module's text becomes by each.

Every fault replaces one piece of the text, so that the rest stays as it is written. Left alone is what no rule hangs
on: docstrings, annotations, log lines, sentences for people, the OpenAPI document's words, and models' columns.
"""

import ast
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

Piece = tuple[int, int, str, str]
"""From and until which byte of the text, what stands there then, and by which operator."""

BOUNDS = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: (r"is\s+not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
}
ARITHMETIC = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.BitOr: ("|", "&"),
    ast.BitAnd: ("&", "|"),
}
OPPOSITES = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list", "reversed": "list"}
METHODS = {"filter": "exclude", "exclude": "filter", "first": "last", "last": "first"}
LINKS = {"select_for_update", "distinct", "strip", "lower", "casefold", "removesuffix", "removeprefix", "reverse"}
"""Calls of a chain without which the chain is still one."""
NARROWING = {"filter", "exclude", "order_by"}
PICKING = {"filter", "exclude", "get", "Q"}
"""Each of their arguments is a condition."""
RULES = {
    "bound moved",
    "condition dropped",
    "context dropped",
    "exception not caught",
    "guard removed",
    "link dropped",
    "lookup",
    "operand dropped",
    "statement dropped",
}
"""What takes a rule away, or moves its bound; the others turn something into its opposite, or name another thing."""
LOOKUPS = {"gte": "gt", "gt": "gte", "lte": "lt", "lt": "lte", "iexact": "exact"}
HARMLESS_DECORATORS = {
    "abstractmethod",
    "cached_property",
    "classmethod",
    "dataclass",
    "extend_schema",
    "extend_schema_field",
    "extend_schema_serializer",
    "extend_schema_view",
    "override",
    "property",
    "staticmethod",
}
WORDS_FOR_PEOPLE = {"help_text", "verbose_name", "verbose_name_plural", "summary", "description", "short_description"}
LEFT_ALONE = re.compile(
    r"(logger|logging|warnings)\.|models\.\w+Field\b|models\.ForeignKey\b|extend_schema|dataclass|OpenApi|failpoint\b"
)
NOTHING = "__import__('contextlib').nullcontext()"


@dataclass(frozen=True)
class Mutant:
    path: str
    text: str
    start: int
    end: int
    becomes: str
    operator: str
    function: str
    """Its qualified name; empty outside of functions and classes."""

    @cached_property
    def source(self) -> str:
        """The whole module with the fault in it."""
        content = self.text.encode()
        return (content[: self.start] + self.becomes.encode() + content[self.end :]).decode()

    @cached_property
    def first_line(self) -> int:
        return self.text.encode()[: self.start].count(b"\n") + 1

    @cached_property
    def last_line(self) -> int:
        return self.text.encode()[: self.end].count(b"\n") + 1

    @property
    def line(self) -> str:
        """The line on which it begins, as it is written."""
        return self.text.splitlines()[self.first_line - 1].strip()

    @property
    def change(self) -> str:
        was = self.text.encode()[self.start : self.end].decode()
        return f"{one_line(was)} -> {one_line(self.becomes) or 'nothing'}"

    @cached_property
    def key(self) -> str:
        content = hashlib.sha256(self.text.encode()).hexdigest()
        return hashlib.sha256(f"{content} {self.start} {self.end} {self.becomes}".encode()).hexdigest()[:20]


def one_line(text: str) -> str:
    return " ".join(text.split())


def mutants(path: str, text: str, wanted: Callable[[Mutant], bool] = lambda _: True) -> list[Mutant]:
    """Every fault that leaves a module that can be compiled, in the order of the text; of those `wanted`, as to see
    what a fault means takes long."""
    found, module = [], Module(text)
    seen = {(first, meaning(module.text_of(first, last))) for first, last in module.statements}
    for (start, end, becomes, operator), function in sorted(module.pieces()):
        mutant = Mutant(path, text, start, end, becomes, operator, function)
        if not wanted(mutant):
            continue
        first, last = module.statement_around(start)
        fault = meaning(module.text_of(first, start) + becomes + module.text_of(end, last))
        if fault and (first, fault) not in seen:
            seen.add((first, fault))
            found.append(mutant)
    return found


def meaning(source: str) -> str:
    """What the text says, however it is written; empty where it says nothing."""
    try:
        tree = ast.parse(source)
        compile(tree, "mutant", "exec")
    except (SyntaxError, ValueError):
        return ""
    return ast.dump(tree)


class Module:
    def __init__(self, text: str) -> None:
        self.text, self.content = text, text.encode()
        starts = [0]
        for line in self.content.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        self.starts = starts
        self.tree = ast.parse(text)
        self.statements = [self.whole_lines(node) for node in self.tree.body]
        """The module's own statements, functions and classes among them: from and until which byte of the text. What a
        fault makes of one is looked at without the others, for a module takes long to compile."""
        self.guarded: set[ast.stmt] = set()
        """What a guard does, and nothing else: without it, it is as without the guard."""
        self.operators: dict[type[ast.AST], list[Callable[..., Iterable[Piece]]]] = {
            ast.If: [self.condition, self.guard],
            ast.IfExp: [self.condition],
            ast.While: [self.condition],
            ast.comprehension: [self.sieve],
            ast.BoolOp: [self.operands],
            ast.Compare: [self.comparison],
            ast.BinOp: [self.arithmetic],
            ast.AugAssign: [self.augmented, self.dropped],
            ast.UnaryOp: [self.unary],
            ast.Constant: [self.constant],
            ast.Expr: [self.dropped_call],
            ast.Assign: [self.dropped_assignment],
            ast.Delete: [self.dropped],
            ast.Raise: [self.dropped],
            ast.With: [self.context],
            ast.Break: [self.swapped],
            ast.Continue: [self.swapped],
            ast.Return: [self.answer],
            ast.Lambda: [self.lambda_answer],
            ast.Call: [self.keywords, self.opposite, self.chain],
            ast.ExceptHandler: [self.handler],
            ast.Tuple: [self.elements],
            ast.List: [self.elements],
            ast.Set: [self.elements],
            ast.Dict: [self.entries],
            ast.FunctionDef: [self.decorators],
            ast.ClassDef: [self.decorators],
        }

    def whole_lines(self, node: ast.stmt) -> tuple[int, int]:
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        return self.starts[first - 1], self.starts[node.end_lineno or node.lineno]

    def statement_around(self, byte: int) -> tuple[int, int]:
        return next((first, last) for first, last in self.statements if first <= byte < last)

    def text_of(self, first: int, last: int) -> str:
        return self.content[first:last].decode()

    def pieces(self) -> Iterator[tuple[Piece, str]]:
        return self.walk(self.tree, ())

    def walk(self, node: ast.AST, scope: tuple[str, ...]) -> Iterator[tuple[Piece, str]]:
        for operator in self.operators.get(type(node), []):
            for piece in operator(node):
                yield piece, ".".join(scope)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            inner = (*scope, node.name)
            for decorator in node.decorator_list:
                yield from self.walk_if_it_matters(decorator, inner)
            children = children_of(node, without=("decorator_list",))
        else:
            inner, children = scope, children_of(node)
        for child in children:
            yield from self.walk_if_it_matters(child, inner)

    def walk_if_it_matters(self, node: ast.AST, scope: tuple[str, ...]) -> Iterator[tuple[Piece, str]]:
        called = node.value if isinstance(node, ast.Expr) else node
        if isinstance(node, ast.Import | ast.ImportFrom) or is_docstring(node):
            return
        if isinstance(called, ast.Call) and LEFT_ALONE.match(self.of(called.func)):
            return
        if isinstance(node, ast.keyword) and node.arg in WORDS_FOR_PEOPLE:
            return
        if isinstance(node, ast.JoinedStr):  # what stands inside has no place of its own before Python 3.12
            yield from ((piece, ".".join(scope)) for piece in self.formatted(node))
            return
        yield from self.walk(node, scope)

    # Where things stand

    def span(self, node: ast.AST) -> tuple[int, int]:
        start = self.starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        end = self.starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
        return start, end

    def of(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.content[start:end].decode()

    def instead(self, node: ast.AST, becomes: str, operator: str) -> Piece:
        return (*self.span(node), becomes, operator)

    def between(self, left: ast.AST, right: ast.AST, sign: str, becomes: str, operator: str) -> Iterator[Piece]:
        """The sign that stands between two nodes, which may be in brackets."""
        start, end = self.span(left)[1], self.span(right)[0]
        found = re.search(sign, self.content[start:end].decode())
        if found:
            offset = len(self.content[start:end].decode()[: found.start()].encode())
            yield start + offset, start + offset + len(found.group().encode()), becomes, operator

    def one_less(self, nodes: list[ast.AST], number: int, operator: str) -> Piece:
        """One of several that commas part, together with a comma. The only one goes with what follows it."""
        start, end = self.span(nodes[number])
        if number + 1 < len(nodes):
            end = self.span(nodes[number + 1])[0]
        elif number:
            start = self.span(nodes[number - 1])[1]
        else:
            end += len(re.match(rb"\s*,?", self.content[end:]).group())  # type: ignore[union-attr]
        return start, end, "", operator

    # Conditions

    def condition(self, node: ast.If | ast.IfExp | ast.While) -> Iterator[Piece]:
        if not is_negated_by_its_sign(node.test):
            yield self.instead(node.test, f"(not ({self.of(node.test)}))", "condition negated")

    def guard(self, node: ast.If) -> Iterator[Piece]:
        if isinstance(node.body[-1], ast.Raise | ast.Return | ast.Continue | ast.Break) and not node.orelse:
            self.guarded.add(node.body[0])
            yield self.instead(node.test, "False", "guard removed")

    def sieve(self, node: ast.comprehension) -> Iterator[Piece]:
        for test in node.ifs:
            if not is_negated_by_its_sign(test):
                yield self.instead(test, f"(not ({self.of(test)}))", "condition negated")
            yield self.instead(test, "True", "condition dropped")

    def operands(self, node: ast.BoolOp) -> Iterator[Piece]:
        texts = [self.of(value) for value in node.values]
        word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for number in range(len(texts)):
            rest = texts[:number] + texts[number + 1 :]
            yield self.instead(node, f"({f' {word} '.join(f'({text})' for text in rest)})", "operand dropped")
        yield self.instead(node, f"({f' {other} '.join(f'({text})' for text in texts)})", "and, or")

    def comparison(self, node: ast.Compare) -> Iterator[Piece]:
        left: ast.AST = node.left
        for operation, right in zip(node.ops, node.comparators, strict=True):
            sign, becomes = BOUNDS[type(operation)]
            kind = "bound moved" if isinstance(operation, ast.Lt | ast.LtE | ast.Gt | ast.GtE) else "comparison"
            yield from self.between(left, right, sign, becomes, kind)
            left = right

    def unary(self, node: ast.UnaryOp) -> Iterator[Piece]:
        if isinstance(node.op, ast.Not | ast.USub | ast.Invert):
            yield self.instead(node, f"({self.of(node.operand)})", "sign dropped")

    # Numbers and texts

    def arithmetic(self, node: ast.BinOp) -> Iterator[Piece]:
        is_text = isinstance(node.left, ast.Constant | ast.JoinedStr) and not isinstance(node.op, ast.Mult)
        if type(node.op) in ARITHMETIC and not (is_text and isinstance(getattr(node.left, "value", ""), str)):
            sign, becomes = ARITHMETIC[type(node.op)]
            yield from self.between(node.left, node.right, re.escape(sign), becomes, "arithmetic")

    def augmented(self, node: ast.AugAssign) -> Iterator[Piece]:
        if type(node.op) in ARITHMETIC:
            sign, becomes = ARITHMETIC[type(node.op)]
            yield from self.between(node.target, node.value, re.escape(sign), becomes, "arithmetic")

    def constant(self, node: ast.Constant) -> Iterator[Piece]:
        value = node.value
        if isinstance(value, bool):
            yield self.instead(node, str(not value), "constant")
        elif isinstance(value, int | float):
            yield self.instead(node, str(value + 1), "constant")
        elif isinstance(value, str | bytes) and not is_sentence(value):
            yield self.instead(node, repr(value + ("_" if isinstance(value, str) else b"_")), "text")

    def formatted(self, node: ast.JoinedStr) -> Iterator[Piece]:
        parts = [part.value for part in node.values if isinstance(part, ast.Constant)]
        if not any(is_sentence(part) for part in parts):
            yield self.instead(node, "'_'", "text")

    # Statements

    def dropped(self, node: ast.stmt) -> Iterator[Piece]:
        if node not in self.guarded:
            yield self.instead(node, "pass", "statement dropped")

    def dropped_call(self, node: ast.Expr) -> Iterator[Piece]:
        if isinstance(node.value, ast.Call):
            yield from self.dropped(node)

    def dropped_assignment(self, node: ast.Assign) -> Iterator[Piece]:
        """Only where something is changed by it: a name that is never given is an error anywhere."""
        if all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            yield from self.dropped(node)

    def context(self, node: ast.With) -> Iterator[Piece]:
        for item in node.items:
            if item.optional_vars is None:
                yield self.instead(item.context_expr, NOTHING, "context dropped")

    def swapped(self, node: ast.Break | ast.Continue) -> Iterator[Piece]:
        yield self.instead(node, "continue" if isinstance(node, ast.Break) else "break", "break, continue")

    def answer(self, node: ast.Return) -> Iterator[Piece]:
        if node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None):
            return
        if isinstance(node.value, ast.Compare | ast.BoolOp) or is_not(node.value):
            yield self.instead(node.value, f"not ({self.of(node.value)})", "answer")
        elif not (isinstance(node.value, ast.Constant) and isinstance(node.value.value, bool)):
            yield self.instead(node.value, "None", "answer")

    def lambda_answer(self, node: ast.Lambda) -> Iterator[Piece]:
        yield self.instead(node.body, "None", "answer")

    def decorators(self, node: ast.FunctionDef | ast.ClassDef) -> Iterator[Piece]:
        for decorator in node.decorator_list:
            name = self.of(decorator).partition("(")[0].rpartition(".")[2]
            if name not in HARMLESS_DECORATORS and not name.endswith("setter"):
                start, end = self.span(decorator)
                yield start - 1, end, "", "decorator dropped"

    def handler(self, node: ast.ExceptHandler) -> Iterator[Piece]:
        if isinstance(node.type, ast.Tuple):
            for number in range(len(node.type.elts)):
                yield self.one_less(list(node.type.elts), number, "exception not caught")
        elif node.type is not None:
            yield self.instead(node.type, "()", "exception not caught")

    # Calls

    def keywords(self, node: ast.Call) -> Iterator[Piece]:
        given = sorted([*node.args, *node.keywords], key=self.span)
        is_condition = self.of(node.func).rpartition(".")[2] in PICKING
        for number, each in enumerate(given):
            if not isinstance(each, ast.keyword) or each.arg is None or each.arg in WORDS_FOR_PEOPLE:
                continue
            yield self.one_less(list(given), number, "condition dropped" if is_condition else "argument dropped")
            stem, _, lookup = each.arg.rpartition("__")
            if stem and lookup in LOOKUPS:
                start, _ = self.span(each)
                yield start, start + len(each.arg.encode()), f"{stem}__{LOOKUPS[lookup]}", "lookup"

    def opposite(self, node: ast.Call) -> Iterator[Piece]:
        if isinstance(node.func, ast.Name) and node.func.id in OPPOSITES:
            plain = OPPOSITES[node.func.id]
            if plain == "list" and node.keywords:
                yield self.instead(node, f"list({self.of(node.args[0])})", "opposite")
            else:
                yield self.instead(node.func, plain, "opposite")
        elif isinstance(node.func, ast.Name) and node.func.id == "abs":
            yield self.instead(node, f"({self.of(node.args[0])})", "opposite")

    def chain(self, node: ast.Call) -> Iterator[Piece]:
        if not isinstance(node.func, ast.Attribute):
            return
        name, before = node.func.attr, self.of(node.func.value)
        end = self.span(node.func)[1]
        if name in METHODS:
            yield end - len(name), end, METHODS[name], "opposite"
        if name in LINKS and not isinstance(node.func.value, ast.Constant):
            yield self.instead(node, before, "link dropped")
        if name in NARROWING:
            yield self.instead(node, f"{before}.all()", "link dropped")

    # Sets of things

    def elements(self, node: ast.Tuple | ast.List | ast.Set) -> Iterator[Piece]:
        """One element less, where the order of few does not name what each of them is."""
        if isinstance(node.ctx if not isinstance(node, ast.Set) else ast.Load(), ast.Load) and len(node.elts) > 1:
            for number, each in enumerate(node.elts):
                if not isinstance(each, ast.Name | ast.Attribute | ast.Constant | ast.Starred):
                    continue
                if isinstance(node, ast.Tuple) and len(node.elts) == 2:  # without its comma one is no tuple
                    yield self.instead(node, f"({self.of(node.elts[1 - number])},)", "element dropped")
                else:
                    yield self.one_less(list(node.elts), number, "element dropped")

    def entries(self, node: ast.Dict) -> Iterator[Piece]:
        for number, (key, value) in enumerate(zip(node.keys, node.values, strict=True)):
            start, end = self.span(key)[0] if key else self.span(value)[0] - 2, self.span(value)[1]
            end += len(re.match(rb"\s*\)*\s*,?", self.content[end:]).group())  # type: ignore[union-attr]
            if number + 1 == len(node.keys) and self.content[start:end].count(b")") > self.content[start:end].count(
                b"("
            ):
                end = self.span(value)[1]
            yield start, end, "", "entry dropped"


def children_of(node: ast.AST, without: tuple[str, ...] = ()) -> Iterator[ast.AST]:
    """Without annotations."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "ctx", *without):
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST):
                yield each


def is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def is_sentence(value: str | bytes) -> bool:
    return any(str(value).count(sign) for sign in (" ", "\n")) or "://" in str(value)


def is_negated_by_its_sign(node: ast.AST) -> bool:
    """Another operator makes the opposite of it already."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return not isinstance(node.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE)
    return is_not(node)


def is_not(node: ast.AST) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
