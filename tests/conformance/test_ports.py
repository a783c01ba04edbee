"""The ports of the book's own programs, and mutants: what a check finds in them."""

import os
import re
import subprocess
import sys

import pytest
from versions import interpreters

from conformance import prove
from conformance.mutants import MUTANTS
from literate.core.document import parse
from literate.core.programs import tangle

BOOK = parse(prove.BOOK.read_text("utf-8"), prove.BOOK.name)
