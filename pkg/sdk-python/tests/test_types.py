import ast
import pathlib
import unittest

import kilonova
from kilonova import _contract, _resources, types

PACKAGE = pathlib.Path(kilonova.__file__).parent


def classes_of(stub):
    """The classes of a stub, by name, with the names of their members in order."""
    found = {}
    for node in ast.parse((PACKAGE / stub).read_text()).body:
        if not isinstance(node, ast.ClassDef):
            continue
        fields = [one.target.id for one in node.body if isinstance(one, ast.AnnAssign)]
        values = {one.targets[0].id: ast.literal_eval(one.value) for one in node.body if isinstance(one, ast.Assign)}
        methods = {one.name: one for one in node.body if isinstance(one, ast.FunctionDef)}
        found[node.name] = (fields, values, methods)
    return found


def keywords(method):
    return [one.arg for one in method.args.kwonlyargs]


class Types(unittest.TestCase):
    def test_tell_of_every_message_and_enum_what_the_contract_says(self):
        told = classes_of("types.pyi")
        self.assertEqual(sorted(told), sorted(_contract.names()))
        for name, (full_name, is_enum) in _contract.names().items():
            fields, values, methods = told[name]
            if is_enum:
                self.assertEqual(values, {one.name: one.value for one in getattr(types, name)}, name)
                continue
            descriptor = _contract.message(full_name).DESCRIPTOR
            self.assertEqual(fields, [one.name for one in descriptor.fields], name)
            self.assertEqual(keywords(methods["__init__"]), fields, name)
            for field in descriptor.fields:
                has = ast.unparse(methods["HasField"].args.args[1].annotation) if "HasField" in methods else ""
                named = repr(field.name) in has
                self.assertEqual(named, field.has_presence, f"{name}.{field.name}")

    def test_tell_of_every_method_what_it_takes(self):
        told = classes_of("_resources.pyi")
        for name, (_, _, methods) in told.items():
            if name.startswith("_"):
                continue
            made = getattr(_resources, name)
            real = {one for one in vars(made) if not one.startswith("_")}
            self.assertEqual(set(methods) - {"__init__"}, real, name)
            for method in real:
                documented = getattr(made, method).__doc__.rpartition("Fields: ")[2].strip(" .\n")
                taken = [one for one in keywords(methods[method]) if one != "timeout"]
                self.assertEqual(", ".join(taken) or "nothing", documented if taken else "nothing", f"{name}.{method}")

    def test_say_that_they_are_there(self):
        self.assertTrue((PACKAGE / "py.typed").exists())
