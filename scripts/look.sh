#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# look.sh: render the pages, and have look.js look at each of them in Chromium, as wide as a window
# and as wide as a phone. KTAP goes to build/look.log, and a picture of each page at each width to
# build/look/PAGE-WIDTH.png.

. "$(dirname "$0")/common.sh" || exit 1

html=$BUILD/docs/html
log=$BUILD/look.log
out=$BUILD/look

# browse ARGUMENT...: run Chromium without a window. It has no sandbox if root runs it, and needs
# none for pages of this project.
browse()
{
	# shellcheck disable=SC2094	# watched looks at the size of the log
	watched "$out/chromium.log" "$SILENCE" chromium --headless --no-sandbox --hide-scrollbars \
		--enable-logging=stderr --user-data-dir="$out/profile" "$@" \
		< /dev/null 2>> "$out/chromium.log" || die "Chromium failed, see $out/chromium.log"
}

# Print what look.js finds. Chromium prints the document that look.js leaves, as HTML.
look()
{
	{
		echo '<!DOCTYPE html><meta charset="utf-8"><body><script>'
		echo "const root = 'file://$html/', files = ["
		find "$html" -type f -printf "'%P',\n" | sort
		echo "];</script><script src='file://$TOP/scripts/look.js'></script>"
	} > "$out/look.html"
	browse --allow-file-access-from-files --dump-dom "$out/look.html" |
		sed '/^<.*html>$/d; s/&lt;/</g; s/&gt;/>/g; s/&nbsp;/ /g; s/&amp;/\&/g'
}

# Take a picture of each page, as high as look.js has found it.
photograph()
{
	local page width height

	sed -n 's/^# \(.*\)\.html at \(.*\) is \(.*\) high$/\1 \2 \3/p' "$log" |
		while read -r page width height; do
			browse --window-size="$width,$height" \
				--screenshot="$out/${page//\//-}-$width.png" "$html/$page.html"
		done
}

"$TOP/scripts/fetch/packages.sh" look
rm -rf "$html" "$out"
mkdir "$out"
"$TOP/scripts/docs.sh" html
look | tee "$log"
photograph
"$TOP/scripts/summary.sh" "$log"
