"""Puts a fault into a process that has imported the module already, so that it needs no new start of Django.

The code of functions is exchanged. So is the value of a name or of a class's attribute, wherever it was imported to;
but whatever else was made of it meanwhile keeps the old one, so that to survive this proves nothing. All else that runs
while a module is imported (decorators, defaults, texts that others may know) needs a process that imports it anew.
"""

import ast
import gc
import sys
from collections import defaultdict
from collections.abc import Iterator
from inspect import CO_OPTIMIZED
from types import CodeType, FunctionType, ModuleType
from typing import Any

Functions = dict[str, list[FunctionType]]


class NeedsNewImportError(Exception):
    """The fault cannot be put in here."""


def living(root: str) -> Functions:
    """The functions of all files under the root, by file."""
    found: Functions = defaultdict(list)
    gc.unfreeze()  # what tests/conftest.py has set aside is looked through, too
    for each in gc.get_objects():
        if type(each) is FunctionType and each.__code__.co_filename.startswith(root):
            found[each.__code__.co_filename].append(each)
    return found


def swap(functions: Functions, path: str, before: str, after: str) -> bool:
    """Whether the fault is wholly in. Raises NeedsNewImportError, and has changed nothing then."""
    try:
        wanted = dict(changed(compile(before, path, "exec"), compile(after, path, "exec")))
    except NeedsNewImportError:
        set_value(path, before, after)
        return False
    alive = {each.__code__ for each in functions.get(path, [])}
    if wanted.keys() - alive:
        raise NeedsNewImportError
    for outer in list(wanted.items()):
        wanted |= made_by(*outer, alive)
    ours = [each for each in functions.get(path, []) if each.__code__ in wanted]
    if any(each.__code__.co_freevars != wanted[each.__code__].co_freevars for each in ours):
        raise NeedsNewImportError
    for each in ours:
        each.__code__ = wanted[each.__code__]
    return True


def is_in_functions(before: str, after: str) -> bool:
    try:
        return bool(list(changed(compile(before, "", "exec"), compile(after, "", "exec"))))
    except NeedsNewImportError:
        return False


def changed(before: CodeType, after: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """The outermost functions that differ."""
    if before.co_flags & CO_OPTIMIZED:
        if before != after:
            yield before, after
        return
    if own(before) != own(after):
        raise NeedsNewImportError
    for one, other in zip(inner(before), inner(after), strict=True):
        yield from changed(one, other)


def made_by(before: CodeType, after: CodeType, alive: set[CodeType]) -> dict[CodeType, CodeType]:
    """Of the functions inside a function those that it has made already, as a decorator has for what it stands on."""
    pairs: dict[CodeType, CodeType] = {}
    if before == after or not inner(before):
        return pairs
    if len(inner(before)) != len(inner(after)):
        if alive & set(inner(before)):
            raise NeedsNewImportError
        return pairs
    for one, other in zip(inner(before), inner(after), strict=True):
        pairs |= {one: other} if one in alive else {}
        pairs |= made_by(one, other, alive)
    return pairs


def own(code: CodeType) -> tuple[object, ...]:
    """All that a module's or class's body does by itself."""
    constants = [(type(each), repr(each)) for each in code.co_consts if not isinstance(each, CodeType)]
    return code.co_code, constants, code.co_names, len(inner(code))


def inner(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


def set_value(path: str, before: str, after: str) -> None:
    modules = [each for each in list(sys.modules.values()) if getattr(each, "__file__", None) == path]
    if not modules:
        raise NeedsNewImportError
    owner: Any = modules[0]
    old, new = differing(ast.parse(before).body, ast.parse(after).body)
    if isinstance(old, ast.ClassDef) and isinstance(new, ast.ClassDef):
        same_head = ast.dump(ast.Module(old.decorator_list, [])) == ast.dump(ast.Module(new.decorator_list, []))
        if not same_head or list(map(ast.dump, old.keywords)) != list(map(ast.dump, new.keywords)):
            raise NeedsNewImportError
        owner = getattr(modules[0], old.name, None)
        old, new = differing(old.body, new.body)
    name, value = target(old), getattr(new, "value", None)
    if not name or name != target(new) or value is None or not hasattr(owner, name):
        raise NeedsNewImportError
    scope = {**vars(modules[0]), **(vars(owner) if isinstance(owner, type) else {})}
    try:
        made = eval(compile(ast.Expression(value), path, "eval"), scope)
    except Exception as error:
        raise NeedsNewImportError from error
    give(modules[0], owner, name, made)


def give(module: ModuleType, owner: Any, name: str, made: Any) -> None:
    known = vars(owner).get(name)
    if hasattr(known, "__set_name__") or isinstance(known, type | FunctionType):
        raise NeedsNewImportError
    holders = [owner]
    if owner is module:
        holders += [each for each in list(sys.modules.values()) if getattr(each, "__dict__", {}).get(name) is known]
    try:
        for holder in holders:
            setattr(holder, name, made)
    except AttributeError as error:  # a member of an enumeration
        raise NeedsNewImportError from error


def differing(before: list[ast.stmt], after: list[ast.stmt]) -> tuple[ast.stmt, ast.stmt]:
    """The only statement that does."""
    if len(before) != len(after):
        raise NeedsNewImportError
    pairs = [(one, other) for one, other in zip(before, after, strict=True) if ast.dump(one) != ast.dump(other)]
    if len(pairs) != 1:
        raise NeedsNewImportError
    return pairs[0]


def target(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return ""
