# SPDX-License-Identifier: GPL-2.0-only
# Configuration of Sphinx for the pages in Documentation/, see scripts/docs.sh.
#
# In a kernel tree the kernel's own conf.py takes this file's place. The pages name files as
# a kernel tree does (drivers/nmr/module/gate.c), so they need no change there. Here,
# NMR_DOCS_TREE is a directory with links that have these names.

import os
import sys

kernel = os.environ["NMR_DOCS_KERNEL"]		# a kernel's source tree
tree = os.environ["NMR_DOCS_TREE"]

sys.path.insert(0, os.path.join(kernel, "Documentation/sphinx"))
extensions = ["kerneldoc", "automarkup"]
kerneldoc_bin = os.path.join(kernel, "scripts/kernel-doc")
kerneldoc_srctree = tree

project = "nmr"
copyright = "the nmr authors, GPL-2.0-only"
highlight_language = "none"
html_theme = "alabaster"
html_theme_options = {
    "page_width": "1240px",
    "body_min_width": 0,
    "body_max_width": "100%",
}
html_static_path = ["sphinx-static"]		# the theme loads custom.css
html_copy_source = False

# What the C domain of Sphinx does not know, as in the kernel's conf.py.
c_id_attributes = ["__always_inline", "__must_check", "__percpu"]

# Types and structures that no page of this project describes.
nitpick_ignore_regex = [
    ("c:identifier", "(bool|int|long|size_t|s64|u8|u32|u64|guid_t)"),
    ("c:identifier", "nmr_site"),
]
