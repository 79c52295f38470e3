// SPDX-License-Identifier: GPL-2.0-only
//
// Look at the pages and the figures among "files", which are below "root". look.sh sets both.
//
// Each is in a frame. A page takes the width of its frame for that of a window. When all frames
// have loaded, KTAP replaces this document. A line "# PAGE at WIDTH is HEIGHT high" comes first in
// what there is to say of a page.

"use strict";

const WIDTHS = [1280, 390];	// a window's and a phone's, in CSS pixels
const SMALLEST = 12;		// height of letters, in CSS pixels
const SLACK = 1;		// some lengths are rounded
const MARKUP = /System Message|:[\w:+-]+:`|``|`_|\.\. [\w-]+::/;

const ending = end => files.filter(file => file.endsWith(end));
const frames = new Map([...ending(".html"), ...ending(".svg")].map(file => [file, load(file)]));
const lines = [];
let number = 0;

// Load a file into a frame.
function load(file)
{
	const frame = document.createElement("iframe");

	frame.src = root + file;
	document.body.append(frame);
	return frame;
}

const style = element => element.ownerDocument.defaultView.getComputedStyle(element);
const scrolls = element => /auto|scroll/.test(style(element).overflowX);
const quote = text => `"${text.trim().replace(/\s+/g, " ").slice(0, 50)}"`;
const describe = element => `${element.localName} ${quote(element.textContent)}`;

// Split an address into the name that the file has here, and a place in the file.
function split(address)
{
	const [file, anchor] = decodeURI(address).split("#");

	return [file.replace(root, ""), anchor];
}

// Return the texts that a reader can see.
function texts(page)
{
	const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
	const seen = [];

	while (walker.nextNode()) {
		const text = walker.currentNode;

		if (text.data.trim() &&
		    text.parentElement.checkVisibility({ visibilityProperty: true }))
			seen.push(text);
	}
	return seen;
}

// Find what sticks out of its box or is cut off. A box may scroll sideways, and only the window
// up and down.
function* boxes(page)
{
	const bad = [...page.querySelectorAll("html, body *")].filter(box =>
		box.clientWidth &&
		(box.scrollWidth > box.clientWidth + SLACK && !scrolls(box) ||
		 box.scrollHeight > box.clientHeight + SLACK && style(box).overflowY !== "visible"));

	for (const box of bad.filter(box => !bad.some(other => box !== other && box.contains(other))))
		yield `${describe(box)} has ${box.clientWidth} x ${box.clientHeight}, and takes ` +
			`${box.scrollWidth} x ${box.scrollHeight}`;
}

// Find letters that are too small, and text with something else over it.
function* words(page)
{
	for (const text of texts(page)) {
		const element = text.parentElement, range = page.createRange();
		const size = parseFloat(style(element).fontSize);

		range.selectNodeContents(text);
		if (size < SMALLEST)
			yield `${describe(element)} has letters of ${size}`;
		if ([...range.getClientRects()].some(line => covered(element, line)))
			yield `something is over ${describe(element)}`;
	}
}

// Test whether a reader sees something else in the middle of a line. What a box that scrolls does
// not show yet is not covered.
function covered(element, line)
{
	const x = line.x + line.width / 2, y = line.y + line.height / 2;
	const seen = element.ownerDocument.elementFromPoint(x, y);

	for (let box = element; box; box = box.parentElement)
		if (scrolls(box) && x > box.getBoundingClientRect().right)
			return false;
	return !seen || !seen.contains(element) && !element.contains(seen);
}

// Find pictures that are missing, have no text to replace them, or have letters that are too small.
function* images(page)
{
	for (const image of page.images) {
		const [file] = split(image.src);
		const size = smallest(frames.get(file)) * image.width / image.naturalWidth;

		if (!image.naturalWidth)
			yield `${file} has not loaded`;
		if (!image.alt || image.alt === image.getAttribute("src"))
			yield `${file} has no alternative text`;
		if (size < SMALLEST)
			yield `${file} has letters of ${size}`;
	}
}

// Return the height of the smallest letters in a figure.
function smallest(frame)
{
	const drawn = [...frame?.contentDocument.querySelectorAll("text") ?? []];

	return Math.min(...drawn.map(text =>
		parseFloat(style(text).fontSize) * text.getScreenCTM().d));
}

// Find links to a file, or to a place in a file, that does not exist. Links to the network are not
// followed.
function* links(page)
{
	for (const link of page.querySelectorAll("[href], [src]")) {
		const address = link.href || link.src, [file, anchor] = split(address);

		if (!address.startsWith("file:"))
			continue;
		if (!files.includes(file))
			yield `there is no ${file} for ${describe(link)}`;
		else if (anchor && !frames.get(file).contentDocument.getElementById(anchor))
			yield `${file} has no ${anchor} for ${describe(link)}`;
	}
}

// Find markup that became text, elements without contents, and code that lost its lines.
function* structure(page)
{
	for (const line of page.body.innerText.split("\n").filter(line => MARKUP.test(line)))
		yield `markup is left in ${quote(line)}`;
	for (const heading of page.querySelectorAll("h1, h2, h3, h4, h5, h6"))
		if (!heading.innerText.trim())
			yield `${describe(heading)} is empty`;
	for (const table of page.querySelectorAll("table"))
		if (!table.offsetWidth || !table.offsetHeight)
			yield `${describe(table)} has no size`;
	for (const code of page.querySelectorAll("pre, pre *"))
		if (!style(code).whiteSpace.startsWith("pre"))
			yield `${describe(code)} loses its lines`;
	if (!page.querySelector("meta[name=viewport][content*='width=device-width']"))
		yield "a phone shows the page as wide as a window";
}

// Find text that is outside of a figure, sticks out of its box there, or runs into other text.
function* drawing(figure)
{
	const place = element => element.getBoundingClientRect();
	const polygons = [...figure.querySelectorAll("polygon")].map(place);
	const drawn = [...figure.querySelectorAll("text")].map(text => [text, place(text)]);

	for (const [text, at] of drawn) {
		const x = at.x + at.width / 2, y = at.y + at.height / 2;
		const around = polygons.filter(box =>
			box.left < x && x < box.right && box.top < y && y < box.bottom);

		for (const box of [place(figure.documentElement), ...around])
			if (at.left < box.left - SLACK || at.right > box.right + SLACK)
				yield `${quote(text.textContent)} sticks out`;
		for (const [other, beside] of drawn)
			if (at.left < beside.left && at.right > beside.left + SLACK &&
			    beside.top < y && y < beside.bottom)
				yield `${quote(text.textContent)} runs into ` +
					quote(other.textContent);
	}
}

// Add a result, after what is wrong.
function result(what, faults)
{
	lines.push(...faults.map(fault => `# ${fault}`),
		   `${faults.length ? "not ok" : "ok"} ${++number} ${what}`);
}

// Look at a page at this width, in a frame that is as high as the page.
function look(file, width)
{
	const frame = frames.get(file), page = frame.contentDocument;

	frame.style.width = `${width}px`;
	frame.style.height = "0";
	frame.style.height = `${page.documentElement.scrollHeight}px`;
	lines.push(`# ${file} at ${width} is ${page.documentElement.scrollHeight} high`);
	result(`${file} at ${width}`,
	       [boxes, words, images, links, structure].flatMap(check => [...check(page)]));
}

addEventListener("load", () => {
	for (const file of ending(".html"))
		for (const width of WIDTHS)
			look(file, width);
	for (const file of ending(".svg"))
		result(file, [...drawing(frames.get(file).contentDocument)]);
	document.documentElement.replaceChildren(
		["", "KTAP version 1", `1..${number}`, ...lines, ""].join("\n"));
});
