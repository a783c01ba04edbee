"""Where each identifier of a Python program is defined: scopes and attributes.

Only what is sure is answered. A name whose meaning depends on what happens when the
program runs (a star import, `del`, a class body that hides a global) has no answer.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

Place = tuple[int, int]  # line from 1, column from 0, in characters


class Definition:
    """What a name stands for: its first binding, and the places where it is used.

    `name` is qualified by its class (`Value.grad`), `kind` is one of "class",
    "function", "import", "variable", "parameter", "method" and "attribute", and
    `is_local` tells that it is of a function or a comprehension.
    """

    __slots__ = ("is_local", "kind", "name", "place", "uses")

    def __init__(self, name: str, kind: str, place: Place, is_local: bool) -> None:
        self.name = name
        self.kind = kind
        self.place = place
        self.is_local = is_local
        self.uses: list[Place] = []


@cache
def find_definitions(source: str) -> list[Definition]:
    """Return what a program defines, in order of place, with the uses that are sure.

    A program that Python cannot read defines nothing.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    reader = _Reader(source)
    try:
        reader.visit(tree)
    except RecursionError:
        return []
    return [] if reader.has_star else sorted(_resolve(reader), key=lambda d: d.place)


class _Scope:
    """The names bound in a module, class, function or comprehension."""

    def __init__(self, kind: str, parent: _Scope | None, name: str = "") -> None:
        self.kind = kind
        self.parent = parent
        self.name = name
        self.bound: dict[str, list[tuple[str, Place]]] = {}
        self.elsewhere: dict[str, str] = {}  # name -> "global" or "nonlocal"
        self.deleted: set[str] = set()
        self.definitions: dict[str, Definition] = {}
        self.values: dict[str, list[ast.expr | None]] = {}  # what is assigned
        self.bases: list[ast.expr] = []
        self.attributes: dict[str, tuple[str, Place]] = {}
        self.receiver = ""  # the name of a method's first parameter

    def owner(self, name: str) -> _Scope | None:
        """Return the scope in which `name`, used here, is bound; None if unsure."""
        scope = self._declared(name)
        if scope is None:
            return None
        if scope.kind == "class" and name in scope.bound:
            hidden = scope.parent and scope.parent.outer(name)
            return None if hidden else scope
        return (
            scope if name in scope.bound else scope.parent and scope.parent.outer(name)
        )

    def outer(self, name: str) -> _Scope | None:
        """Return where an inner scope finds `name`, which class bodies do not offer."""
        scope: _Scope | None = self
        while scope and (scope.kind == "class" or name not in scope.bound):
            if name in scope.elsewhere and scope.kind != "class":
                return scope._declared(name)
            scope = scope.parent
        return scope

    def _declared(self, name: str) -> _Scope | None:
        """Return this scope, or the one that `global` or `nonlocal` means."""
        how = self.elsewhere.get(name)
        if how == "global":
            return self.module
        if how == "nonlocal":
            return self.parent and self.parent.outer(name)
        return self

    @property
    def module(self) -> _Scope:
        scope = self
        while scope.parent:
            scope = scope.parent
        return scope

    def bind(self, name: str, kind: str, place: Place, value: ast.expr | None) -> None:
        scope = self
        if name in self.elsewhere:
            scope = self._declared(name) or self
        scope.bound.setdefault(name, []).append((kind, place))
        scope.values.setdefault(name, []).append(value)


class _Reader(ast.NodeVisitor):
    """Collects the scopes of a program, and every use of a name and of an attribute."""

    def __init__(self, source: str) -> None:
        self.lines = re.split(r"\r\n|\r|\n", source)
        self.scope = self.module = _Scope("module", None)
        self.scopes = [self.module]
        self.classes: list[_Scope] = []
        self.names: list[tuple[_Scope, str, Place]] = []
        self.attributes: list[tuple[_Scope, ast.expr, str, Place]] = []
        self.has_star = False

    # Places

    def _place(self, line: int, offset: int) -> Place:
        """Return a place, given ast's offset, which counts bytes of UTF-8."""
        text = self.lines[line - 1]
        if not text.isascii():
            offset = len(text.encode()[:offset].decode("utf-8", "replace"))
        return line, offset

    def is_at(self, name: str, place: Place) -> bool:
        """Tell whether `name` stands there: positions in f-strings may be wrong."""
        line, column = place
        return self.lines[line - 1][column : column + len(name)] == name

    def _place_after(self, node: ast.stmt, pattern: str, name: str) -> Place:
        line, column = self._place(node.lineno, node.col_offset)
        match = re.compile(rf"{pattern}\s+(?={name}\b)").match(
            self.lines[line - 1], column
        )
        return line, match.end() if match else column

    # Scopes

    def _enter(self, kind: str, name: str = "") -> _Scope:
        self.scope = _Scope(kind, self.scope, name)
        self.scopes.append(self.scope)
        return self.scope

    def _leave(self) -> None:
        self.scope = self.scope.parent

    def _visit_all(self, nodes: list) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        place = self._place_after(node, "class", node.name)
        self.scope.bind(node.name, "class", place, None)
        self._visit_all([*node.decorator_list, *node.bases, *node.keywords])
        scope = self._enter("class", node.name)
        scope.bases = node.bases
        self.classes.append(scope)
        self._visit_all(node.body)
        self._leave()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        place = self._place_after(node, r"(?:async\s+)?def", node.name)
        kind = "method" if self.scope.kind == "class" else "function"
        self.scope.bind(node.name, kind, place, None)
        self._visit_all(node.decorator_list)
        every = [*_parameters(node.args)]
        self._visit_all([arg.annotation for arg in every])
        self._visit_all([node.returns, *node.args.defaults, *node.args.kw_defaults])
        is_plain = not any(
            isinstance(d, ast.Name) and d.id in ("staticmethod", "classmethod")
            for d in node.decorator_list
        )
        in_class = self.scope.kind == "class"
        scope = self._enter("function", node.name)
        if in_class and is_plain and (node.args.posonlyargs or node.args.args):
            scope.receiver = every[0].arg
        self._bind_parameters(every)
        self._visit_all(node.body)
        self._leave()

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_all([*node.args.defaults, *node.args.kw_defaults])
        self._enter("function")
        self._bind_parameters([*_parameters(node.args)])
        self.visit(node.body)
        self._leave()

    def _bind_parameters(self, parameters: list[ast.arg]) -> None:
        for arg in parameters:
            place = self._place(arg.lineno, arg.col_offset)
            self.scope.bind(arg.arg, "parameter", place, None)

    def _visit_comprehension(self, node: ast.expr) -> None:
        self.visit(node.generators[0].iter)
        self._enter("comprehension")
        for number, generator in enumerate(node.generators):
            self.visit(generator.target)
            if number:
                self.visit(generator.iter)
            self._visit_all(generator.ifs)
        if isinstance(node, ast.DictComp):
            self._visit_all([node.key, node.value])
        else:
            self.visit(node.elt)
        self._leave()

    visit_ListComp = visit_SetComp = _visit_comprehension
    visit_DictComp = visit_GeneratorExp = _visit_comprehension

    # Bindings

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        scope = self.scope
        while scope.kind == "comprehension":
            scope = scope.parent
        place = self._place(node.target.lineno, node.target.col_offset)
        scope.bind(node.target.id, "variable", place, node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                place = self._place(target.lineno, target.col_offset)
                self.scope.bind(target.id, "variable", place, node.value)
            else:
                self.visit(target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name):
            place = self._place(node.target.lineno, node.target.col_offset)
            self.names.append((self.scope, node.target.id, place))

    def _visit_import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            line, column = self._place(alias.lineno, alias.col_offset)
            if alias.name == "*":
                self.has_star = True
                continue
            if alias.asname:
                column = self._place(alias.end_lineno, alias.end_col_offset)[1]
                line, column = alias.end_lineno, column - len(alias.asname)
            name = alias.asname or alias.name.split(".")[0]
            self.scope.bind(name, "import", (line, column), None)

    visit_Import = visit_ImportFrom = _visit_import

    def _visit_named(self, node: ast.AST) -> None:
        """Bind the name of an except clause or a pattern; its place is not told."""
        name = getattr(node, "rest", None) or getattr(node, "name", None)
        if name:
            self.scope.bind(name, "variable", (node.lineno, -1), None)
        if isinstance(node, ast.ExceptHandler) and name:
            self.scope.deleted.add(name)  # at the end of the clause
        self.generic_visit(node)

    visit_ExceptHandler = visit_MatchAs = visit_MatchStar = _visit_named
    visit_MatchMapping = _visit_named

    def visit_Global(self, node: ast.Global) -> None:
        for name in node.names:
            self.scope.elsewhere[name] = "global"

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        for name in node.names:
            self.scope.elsewhere[name] = "nonlocal"

    # Uses

    def visit_Name(self, node: ast.Name) -> None:
        place = self._place(node.lineno, node.col_offset)
        if isinstance(node.ctx, ast.Load):
            self.names.append((self.scope, node.id, place))
        elif isinstance(node.ctx, ast.Store):
            self.scope.bind(node.id, "variable", place, None)
        else:
            self.scope.deleted.add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.visit(node.value)
        line, end = self._place(node.end_lineno, node.end_col_offset)
        place = (line, end - len(node.attr))
        if not self.is_at(node.attr, place):
            return
        if isinstance(node.ctx, ast.Store):
            self._bind_attribute(node, place)
        self.attributes.append((self.scope, node.value, node.attr, place))

    def _bind_attribute(self, node: ast.Attribute, place: Place) -> None:
        """Note an attribute that a method gives its own object."""
        scope, receiver = self.scope, node.value
        if isinstance(receiver, ast.Name) and scope.receiver == receiver.id:
            scope.parent.attributes.setdefault(node.attr, ("attribute", place))


def _parameters(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from arguments.posonlyargs
    yield from arguments.args
    yield from filter(None, [arguments.vararg])
    yield from arguments.kwonlyargs
    yield from filter(None, [arguments.kwarg])


def _resolve(reader: _Reader) -> list[Definition]:
    for scope in reader.scopes:
        _define(scope)
        for name, definition in list(scope.definitions.items()):
            if not reader.is_at(name, definition.place):
                del scope.definitions[name]
    for scope, name, place in reader.names:
        owner = scope.owner(name)
        definition = owner and owner.definitions.get(name)
        if definition and place != definition.place and reader.is_at(name, place):
            definition.uses.append(place)
    members = _Members(reader)
    for scope, receiver, attribute, place in reader.attributes:
        definition = members.find(scope, receiver, attribute)
        if definition and place != definition.place:
            definition.uses.append(place)
    found = [d for scope in reader.scopes for d in scope.definitions.values()]
    return [*found, *members.attributes()]


def _define(scope: _Scope) -> None:
    """Choose the definition of each name bound in a scope, where one is sure."""
    for name, bindings in scope.bound.items():
        kinds = {kind for kind, _ in bindings}
        plain = kinds <= {"variable", "parameter"}
        if name in scope.deleted or bindings[0][1][1] < 0:
            continue
        if len(bindings) > 1 and not plain:
            continue
        kind, place = bindings[0]
        qualified = name
        if scope.kind == "class":
            kind = "attribute" if kind == "variable" else kind
            qualified = f"{scope.name}.{name}"
        is_local = scope.kind in ("function", "comprehension")
        scope.definitions[name] = Definition(qualified, kind, place, is_local)


class _Members:
    """The attributes of the program's classes, and what objects certainly are."""

    def __init__(self, reader: _Reader) -> None:
        self.by_place: dict[Place, _Scope] = {}
        self.instance: dict[tuple[_Scope, str], Definition] = {}
        self.classes = reader.classes
        for scope in reader.classes:
            own = scope.parent.bound.get(scope.name, [])
            if len(own) == 1:
                self.by_place[own[0][1]] = scope
            for name, (kind, place) in scope.attributes.items():
                qualified = f"{scope.name}.{name}"
                self.instance[scope, name] = Definition(qualified, kind, place, False)

    def attributes(self) -> list[Definition]:
        """Return the attributes that only methods give to their objects."""
        return [
            definition
            for (scope, name), definition in self.instance.items()
            if name not in scope.bound
        ]

    def find(
        self, scope: _Scope, receiver: ast.expr, attribute: str
    ) -> Definition | None:
        if not isinstance(receiver, ast.Name):
            return None
        owner = scope.owner(receiver.id)
        if owner is None or receiver.id in owner.deleted:
            return None
        kind = self._class_of(owner, receiver.id)
        if kind is None or self._is_overridden(kind, attribute):
            return None
        return self._member(kind, attribute, set())

    def _class_of(self, owner: _Scope, name: str) -> _Scope | None:
        """Return the class that a variable names, or that its object belongs to."""
        definition = owner.definitions.get(name)
        if definition is None or len(owner.bound[name]) != 1:
            return None
        if owner.receiver == name:
            return owner.parent
        if definition.kind == "class":
            return self.by_place.get(definition.place)
        value = owner.values[name][0]
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            return self._named_class(owner, value.func)
        return None

    def _named_class(self, scope: _Scope, node: ast.expr) -> _Scope | None:
        if not isinstance(node, ast.Name):
            return None
        owner = scope.owner(node.id)
        definition = owner and owner.definitions.get(node.id)
        return definition and self.by_place.get(definition.place)

    def _member(self, scope: _Scope, name: str, seen: set[_Scope]) -> Definition | None:
        if name in scope.bound:
            return scope.definitions.get(name)
        if (scope, name) in self.instance:
            return self.instance[scope, name]
        seen.add(scope)
        for node in scope.bases:
            base = self._named_class(scope.parent, node)
            if base is None:
                return None  # what comes from elsewhere may have it first
            if base not in seen:
                found = self._member(base, name, seen)
                if found:
                    return found
        return None

    def _is_overridden(self, kind: _Scope, name: str) -> bool:
        """Tell whether a class derived from `kind` has a `name` of its own."""
        return any(
            self._derives(other, kind, set())
            and (name in other.bound or name in other.attributes)
            for other in self.classes
            if other is not kind
        )

    def _derives(self, scope: _Scope, kind: _Scope, seen: set[_Scope]) -> bool:
        seen.add(scope)
        bases = [self._named_class(scope.parent, node) for node in scope.bases]
        return any(
            base is kind
            or (base and base not in seen and self._derives(base, kind, seen))
            for base in bases
        )
