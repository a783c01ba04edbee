"""Where each identifier of a Python program is defined: scopes and attributes.

Only what is sure is answered. A name whose meaning depends on what happens when the
program runs (a star import, `del`, a class body that hides a global) has no answer, nor
has an attribute that a class inherits, or that a class derived from it may override.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import lru_cache

Place = tuple[int, int]  # line from 1, column from 0, in characters

_UNSURE = "unsure"  # the kind of a binding that ends before its scope does
_REBOUND = {"variable", "parameter", "attribute"}  # kinds that may be bound again
_KEYWORDS = re.compile(r"(?:async\s+)?(?:def|class)\s+")


@dataclass(eq=False)
class Definition:
    """What a name stands for: its first binding, and the places where it is used.

    `name` is qualified by its class (`Value.grad`), `kind` is one of "class",
    "function", "import", "variable", "parameter", "method" and "attribute", and
    `is_local` tells that it is of a function or a comprehension.
    """

    name: str
    kind: str
    place: Place
    is_local: bool
    uses: list[Place] = field(default_factory=list)

    @property
    def short_name(self) -> str:
        """The name as it stands in the code."""
        return self.name.rpartition(".")[2]


@lru_cache(maxsize=1000)  # most programs and variants are the same in the next build
def find_definitions(source: str) -> list[Definition]:
    """Return what a program defines, in order of place, with the uses that are sure.

    A program that Python cannot read, or that is nested too deeply, defines nothing.
    """
    reader = _Reader(source)
    try:
        reader.visit(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError):
        return []
    return [] if reader.has_star else reader.resolve()


@dataclass(eq=False)
class _Scope:
    """The names bound in a module, class, function or comprehension.

    `bound` has the bindings of each name, `declared` how a `global` or `nonlocal`
    statement calls it; `values` is what was last assigned to it, and `classes` the
    scope of the class it is. Of a method, `receiver` is the first parameter; of a
    class, `attributes` are those that its methods give to their objects.
    """

    kind: str
    name: str = ""
    parent: _Scope | None = None
    bound: dict[str, list[tuple[Place, str]]] = field(default_factory=dict)
    declared: dict[str, str] = field(default_factory=dict)
    values: dict[str, ast.expr] = field(default_factory=dict)
    classes: dict[str, _Scope] = field(default_factory=dict)
    bases: list[ast.expr] = field(default_factory=list)
    attributes: dict[str, Place] = field(default_factory=dict)
    receiver: str = ""
    definitions: dict[str, Definition] = field(default_factory=dict)

    @property
    def module(self) -> _Scope:
        return self.parent.module if self.parent else self

    def owner(self, name: str) -> _Scope | None:
        """Return the scope in which a name, used here, is bound; None if unsure."""
        if self.declared.get(name) == "global":
            return self.module
        outer = self.parent and self.parent.offered(name)
        if name in self.declared or name not in self.bound:
            return outer
        return None if self.kind == "class" and outer else self

    def offered(self, name: str) -> _Scope | None:
        """Return where an inner scope finds a name, which class bodies do not offer."""
        if self.kind != "class" and (name in self.bound or name in self.declared):
            return self.owner(name)
        return self.parent and self.parent.offered(name)

    def move_declared(self) -> None:
        """Give what is bound here to the scope that `global` or `nonlocal` means."""
        for name in self.declared:
            owner = self.owner(name)
            if owner and owner is not self:
                owner.bound.setdefault(name, []).extend(self.bound.pop(name, []))

    def define(self) -> None:
        """Choose the definition of each name bound here, where one is sure."""
        attributes = {
            name: [(place, "attribute")] for name, place in self.attributes.items()
        }
        for name, bindings in (attributes | self.bound).items():
            kinds = {kind for _, kind in bindings}
            place, kind = min(bindings)
            is_sure = len(bindings) == 1 or kinds <= _REBOUND
            if is_sure and kind != _UNSURE:
                qualified = f"{self.name}.{name}" if self.kind == "class" else name
                is_local = self.kind in ("function", "comprehension")
                self.definitions[name] = Definition(qualified, kind, place, is_local)


class _Reader(ast.NodeVisitor):
    """Collects the scopes of a program, and every use of a name and of an attribute."""

    def __init__(self, source: str) -> None:
        self.lines = re.split(r"\r\n|\r|\n", source)
        self.scope = _Scope("module")
        self.scopes = [self.scope]
        self.names: list[tuple[_Scope, str, Place]] = []
        self.attributes: list[tuple[_Scope, ast.expr, str, Place]] = []
        self.has_star = False

    def _place(self, line: int, offset: int) -> Place:
        """Return a place that ast counts in bytes."""
        before = self.lines[line - 1].encode()[:offset]
        return line, len(before.decode("utf-8", "replace"))

    def _start(self, node: ast.AST) -> Place:
        return self._place(node.lineno, node.col_offset)

    def _last(self, node: ast.AST, name: str) -> Place:
        """Return where the name begins with which a node ends."""
        line, end = self._place(node.end_lineno, node.end_col_offset)
        return line, end - len(name)

    def _bind(self, name: str, kind: str, place: Place) -> None:
        self.scope.bound.setdefault(name, []).append((place, kind))

    # Scopes

    def _visit_scope(self, node: ast.AST, scope: _Scope, inside: list[ast.AST]) -> None:
        """Visit what stands around a scope, and then in it, with its parameters."""
        for child in ast.iter_child_nodes(node):
            if child not in inside:
                self.visit(child)
        self.scopes.append(scope)
        self.scope = scope
        for arg in ast.iter_child_nodes(getattr(node, "args", node)):
            if isinstance(arg, ast.arg):
                self._bind(arg.arg, "parameter", self._start(arg))
        for child in inside:
            self.visit(child)
        self.scope = scope.parent

    def _bind_definition(self, node: ast.ClassDef | ast.FunctionDef, kind: str) -> None:
        line, column = self._start(node)
        keywords = _KEYWORDS.match(self.lines[line - 1], column)
        self._bind(node.name, kind, (line, keywords.end() if keywords else column))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind_definition(node, "class")
        scope = _Scope("class", node.name, self.scope, bases=node.bases)
        self.scope.classes[node.name] = scope
        self._visit_scope(node, scope, node.body)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        is_method = self.scope.kind == "class"
        self._bind_definition(node, "method" if is_method else "function")
        scope = _Scope("function", node.name, self.scope)
        decorators = {d.id for d in node.decorator_list if isinstance(d, ast.Name)}
        if is_method and not decorators & {"staticmethod", "classmethod"}:
            first = [*node.args.posonlyargs, *node.args.args][:1]
            scope.receiver = first[0].arg if first else ""
        self._visit_scope(node, scope, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        scope = _Scope("function", parent=self.scope)
        self._visit_scope(node, scope, [node.body])

    def _visit_comprehension(self, node: ast.ListComp | ast.DictComp) -> None:
        """Visit a comprehension; its first iterable is evaluated outside of it."""
        first = node.generators[0]
        others = [each for each in ast.iter_child_nodes(node) if each is not first]
        scope = _Scope("comprehension", parent=self.scope)
        self._visit_scope(first, scope, [first.target, *first.ifs, *others])

    visit_ListComp = visit_SetComp = _visit_comprehension
    visit_DictComp = visit_GeneratorExp = _visit_comprehension

    # Bindings

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        scope = self.scope
        while self.scope.kind == "comprehension":
            self.scope = self.scope.parent
        self.visit(node.target)
        self.scope = scope

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.scope.values[target.id] = node.value
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name):
            place = self._start(node.target)
            self.names.append((self.scope, node.target.id, place))

    def visit_alias(self, node: ast.alias) -> None:
        self.has_star |= node.name == "*"
        name = node.asname or node.name.partition(".")[0]
        place = self._last(node, name) if node.asname else self._start(node)
        self._bind(name, "import", place)

    def _visit_named(self, node: ast.AST) -> None:
        """Bind the name of an except clause, which deletes it, or of a pattern."""
        name = getattr(node, "rest", None) or getattr(node, "name", None)
        if name:
            self._bind(name, _UNSURE, self._start(node))
        self.generic_visit(node)

    visit_ExceptHandler = visit_MatchAs = visit_MatchStar = _visit_named
    visit_MatchMapping = _visit_named

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        how = type(node).__name__.lower()
        self.scope.declared.update(dict.fromkeys(node.names, how))

    visit_Nonlocal = visit_Global

    # Uses

    def visit_Name(self, node: ast.Name) -> None:
        place = self._start(node)
        if isinstance(node.ctx, ast.Load):
            self.names.append((self.scope, node.id, place))
        else:
            kind = "attribute" if self.scope.kind == "class" else "variable"
            is_kept = isinstance(node.ctx, ast.Store)
            self._bind(node.id, kind if is_kept else _UNSURE, place)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.visit(node.value)
        place = self._last(node, node.attr)
        self.attributes.append((self.scope, node.value, node.attr, place))
        receiver = node.value.id if isinstance(node.value, ast.Name) else None
        if isinstance(node.ctx, ast.Store) and receiver == self.scope.receiver:
            self.scope.parent.attributes.setdefault(node.attr, place)

    # Definitions

    def resolve(self) -> list[Definition]:
        """Return the definitions, in order of place, with all uses that are sure."""
        for scope in self.scopes:
            scope.move_declared()
        for scope in self.scopes:
            scope.define()
        for scope, name, place in self.names:
            self._note_use(scope.owner(name), name, place)
        bases = {_class_named(s.parent, base) for s in self.scopes for base in s.bases}
        for scope, receiver, name, place in self.attributes:
            kind = _class_of(scope, receiver)
            if kind not in bases:
                self._note_use(kind, name, place)
        every = [d for scope in self.scopes for d in scope.definitions.values()]
        found = [d for d in every if self._is_at(d.short_name, d.place)]
        return sorted(found, key=lambda definition: definition.place)

    def _note_use(self, owner: _Scope | None, name: str, place: Place) -> None:
        definition = owner and owner.definitions.get(name)
        if definition and definition.place != place and self._is_at(name, place):
            definition.uses.append(place)

    def _is_at(self, name: str, place: Place) -> bool:
        """Tell whether a name stands there: ast may be wrong about f-strings."""
        line, column = place
        return self.lines[line - 1].startswith(name, column)


def _class_of(scope: _Scope, receiver: ast.expr) -> _Scope | None:
    """Return the class that a variable names, or that its object belongs to."""
    if not isinstance(receiver, ast.Name):
        return None
    name, owner = receiver.id, scope.owner(receiver.id)
    if owner is None or len(owner.bound.get(name, [])) != 1:
        return None
    if owner.receiver == name:
        return owner.parent
    value = owner.values.get(name)
    made = value.func if isinstance(value, ast.Call) else receiver
    return _class_named(owner, made)


def _class_named(scope: _Scope, node: ast.expr) -> _Scope | None:
    """Return the program's class that an expression names."""
    if not isinstance(node, ast.Name):
        return None
    owner = scope.owner(node.id)
    is_sure = owner and node.id in owner.definitions
    return owner.classes.get(node.id) if is_sure else None
