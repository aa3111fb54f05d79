# GDB support for programs compiled by tmc: back-traces with the names of TypeScript, strings and arrays as TypeScript
# shows them. It reads the build's symbols.json (`tmc_symbols`, or the one beside the ELF file) and changes nothing in
# the program. Loaded by the debug.gdb of a build; needs a GDB with Python.
#
# SPDX-License-Identifier: Apache-2.0
import json
import os

import gdb
from gdb.FrameDecorator import FrameDecorator

MAX_ELEMENTS = 32


class Symbols:
    """The map of C names to TypeScript of the program that is loaded; read again when the build changed it."""

    def __init__(self):
        self.file = None
        self.time = None
        self.names = {}

    def ts_name(self, c_name):
        """`Filter_push` -> `Filter.push`; None for functions that are not TypeScript's."""
        self.refresh()
        # GCC's copies of a function: name.constprop.0, name.part.1
        entry = self.names.get(c_name) or self.names.get(c_name.split(".")[0])
        return entry["tsName"] if entry is not None and entry.get("line", 0) > 0 else None

    def refresh(self):
        file = globals().get("tmc_symbols")
        program = gdb.current_progspace().filename
        if file is None and program is not None:
            file = os.path.join(os.path.dirname(program), "symbols.json")
        if file is None:
            return
        try:
            time = os.stat(file).st_mtime
            if (file, time) == (self.file, self.time):
                return
            with open(file, encoding="utf-8") as text:
                self.names = json.load(text)["symbols"]
            self.file, self.time = file, time
        except (OSError, ValueError, KeyError):
            self.names = {}


symbols = Symbols()


class TypeScriptFrame(FrameDecorator):
    """A frame with the function's name in TypeScript."""

    def function(self):
        name = super().function()
        return (symbols.ts_name(name) or name) if isinstance(name, str) else name


class TypeScriptFrames:
    """The frame filter that `backtrace` applies."""

    def __init__(self):
        self.name = "tmc"
        self.priority = 100
        self.enabled = True
        gdb.current_progspace().frame_filters[self.name] = self

    def filter(self, frames):
        return map(TypeScriptFrame, frames)


class TextPrinter:
    """tmc_str: a string, or null."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        pointer, length = self.value["ptr"], int(self.value["len"])
        if int(pointer) == 0:
            return "null"
        data = gdb.selected_inferior().read_memory(int(pointer), length) if length > 0 else b""
        return json.dumps(bytes(data).decode("latin-1"))


class ArrayPrinter:
    """tmc_arr_*: the elements, as many as are worth a look."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        pointer, length = self.value["ptr"], int(self.value["len"])
        if int(pointer) == 0:
            return "null"
        shown = [str((pointer + i).dereference()) for i in range(min(length, MAX_ELEMENTS))]
        more = ", ..." if length > MAX_ELEMENTS else ""
        return "(%d) [%s%s]" % (length, ", ".join(shown), more)


class BytesPrinter:
    """An array of i8 or u8: numbers, not characters."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        low, high = self.value.type.range()
        shown = [str(int(self.value[i])) for i in range(low, min(high + 1, low + MAX_ELEMENTS))]
        more = ", ..." if high + 1 - low > MAX_ELEMENTS else ""
        return "{%s%s}" % (", ".join(shown), more)


class OptionalPrinter:
    """A number or boolean that may be null."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        return "null" if not self.value["has"] else self.value["value"].format_string()


class Word:
    """Prints one word."""

    def __init__(self, word):
        self.word = word

    def to_string(self):
        return self.word


def is_small(type_of_value):
    return type_of_value.name in ("int8_t", "uint8_t")


def printer_of(value):
    name = value.type.name or ""
    if name == "tmc_str":
        return TextPrinter(value)
    if name.startswith("tmc_arr_"):
        return ArrayPrinter(value)
    if is_small(value.type):
        return Word(str(int(value)))
    kind = value.type.strip_typedefs()
    if kind.code == gdb.TYPE_CODE_PTR:
        is_object = kind.target().strip_typedefs().code == gdb.TYPE_CODE_STRUCT
        return Word("null") if is_object and int(value) == 0 else None
    if kind.code == gdb.TYPE_CODE_ARRAY:
        return BytesPrinter(value) if is_small(kind.target().unqualified()) else None
    if kind.code == gdb.TYPE_CODE_STRUCT and [field.name for field in kind.fields()] == ["has", "value"]:
        return OptionalPrinter(value)
    return None


class FunctionsCommand(gdb.Command):
    """tmc-functions [TEXT]: the functions of the program by their names in TypeScript, with the C names for `break`."""

    def __init__(self):
        super().__init__("tmc-functions", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        symbols.refresh()
        found = [
            (entry["tsName"], "%s:%d" % (entry["file"], entry["line"]), c_name)
            for c_name, entry in symbols.names.items()
            if entry["kind"] == "function" and entry.get("line", 0) > 0 and argument in entry["tsName"]
        ]
        for row in sorted(found):
            print("%-40s %-40s %s" % row)


class BreakCommand(gdb.Command):
    """tmc-break NAME: a breakpoint at a function by its name in TypeScript: tmc-break Filter.push"""

    def __init__(self):
        super().__init__("tmc-break", gdb.COMMAND_BREAKPOINTS)

    def invoke(self, argument, from_tty):
        symbols.refresh()
        name = argument.strip()
        found = [
            c_name
            for c_name, entry in symbols.names.items()
            if entry["kind"] == "function" and entry.get("line", 0) > 0 and entry["tsName"] == name
        ]
        if not found:
            raise gdb.GdbError("no function %s in this program; tmc-functions lists them" % name)
        for c_name in found:
            gdb.Breakpoint(c_name)


class LocalsCommand(gdb.Command):
    """tmc-locals: the variables of the selected function; of an async one also those that its frame keeps over waits."""

    def __init__(self):
        super().__init__("tmc-locals", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        symbols.refresh()
        selected = gdb.selected_frame()
        entry = symbols.names.get((selected.name() or "").split(".")[0], {})
        kept = gdb.parse_and_eval(entry["frame"]) if "frame" in entry else self.own(selected)
        for field in kept.type.strip_typedefs().fields() if kept is not None else []:
            # Not the state, and not the frames of what it waits for.
            if field.name not in ("base", "result") and not str(field.type).endswith("_frame"):
                print("%s = %s" % (field.name, kept[field.name].format_string()))
        gdb.execute("info locals")

    def own(self, selected):
        """The frame behind `self`, of functions that have several; None for functions that are not async."""
        if not (selected.name() or "").endswith("_frame_poll"):
            return None
        try:
            return selected.read_var("self").dereference()
        except ValueError:
            return None


gdb.pretty_printers.append(printer_of)
TypeScriptFrames()
FunctionsCommand()
BreakCommand()
LocalsCommand()
