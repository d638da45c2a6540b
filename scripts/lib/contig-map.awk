# SPDX-License-Identifier: GPL-2.0-only
#
# contig-map.awk: films of uma_contigbench (a line of facts, then for each picture its
# time and a character a page), one beside the other, as SVG.
#
# A spot is so many pages, at one moment. It has the colour of what most of its pages are;
# but what is isolated, or on its way to its pager, is what one is to see, and counts
# more. Spots of a row that follow each other and are alike are one stroke, and
# the commonest colour is the ground, so the picture is small.

function stroke(row, from, to, what)
{
	if (what == "a")
		return
	path[film, what] = path[film, what] sprintf("M%d %.1fh%d", left + from, top + row + 0.5, to - from)
}

# the class of a state, by what one can do about it
function class(s)
{
	if (index("zpuwhx ", s))
		return "w"
	return s
}

function finish(   c, row, i, s, n, best, most, at, k, span, begin, last, since, state, page)
{
	if (!film)
		return
	span = last_time - asked + 0.06 * (last_time - asked)
	begin = last_time - span
	if (begin < 0)
		begin = 0
	span = last_time - begin
	rows = ROWS
	per = npages / rows
	for (row = 0; row < rows; row++) {
		since = 0
		last = ""
		k = 1
		for (c = 0; c < COLUMNS; c++) {
			at = begin + span * (c + 0.5) / COLUMNS
			while (k < pictures && time[k + 1] <= at)
				k++
			state = substr(picture[k], (rows - 1 - row) * per + 1, per)
			if (state != known_state || at >= got) {
				split("", n)
				most = 0
				best = "a"
				for (i = 1; i <= per; i++) {
					s = class(substr(state, i, 1))
					page = (rows - 1 - row) * per + i - 1
					if (at >= got && first >= 0 && page >= first && page < first + won)
						s = "W"
					n[s] += s == "+" ? 2 : s == "b" ? 3 : 1
					if (n[s] > most) {
						most = n[s]
						best = s
					}
				}
				known_state = at >= got ? "" : state
				known_best = best
			} else {
				best = known_best
			}
			if (best != last) {
				if (c)
					stroke(row, since, c, last)
				since = c
				last = best
			}
		}
		stroke(row, since, COLUMNS, last)
	}
	x_asked[film] = (asked - begin) / span * COLUMNS
	x_got[film] = (got - begin) / span * COLUMNS
	took[film] = (got - asked) / 1e6
	good[film] = first >= 0
	lefts[film] = left
}

BEGIN {
	COLUMNS = 380
	ROWS = 512
	top = 62
	left = 50
	colour["."] = "#ffffff"; name["."] = "free"
	colour["a"] = "#8d9db6"; name["a"] = "in use, active"
	colour["i"] = "#bccad6"; name["i"] = "in use, inactive"
	colour["c"] = "#a5d6a7"; name["c"] = "cached: clean and unmapped"
	colour["b"] = "#f9a825"; name["b"] = "busy: on its way in or out"
	colour["w"] = "#263238"; name["w"] = "wired, or not a client's"
	colour["+"] = "#e53935"; name["+"] = "isolated: won so far"
	colour["W"] = "#7b1fa2"; name["W"] = "the run"
	order = "ai.cb+Ww"
	title[1] = "new: one range, page by page"
	title[2] = "old: make memory free anywhere, and look"
}

/^film / {
	finish()
	film++
	if (film == 2)
		left += COLUMNS + 60
	for (i = 2; i <= NF; i++) {
		split($i, f, "=")
		fact[f[1]] = f[2]
	}
	npages = fact["npages"]; asked = fact["asked"]; got = fact["got"]
	first = fact["first"]; won = fact["won"]
	pictures = 0
	next
}

{
	# the state of a page may be a blank
	pictures++
	time[pictures] = $1 + 0
	picture[pictures] = substr($0, length($1) + 2)
	last_time = $1 + 0
}

END {
	finish()
	height = top + ROWS
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n",
		left + COLUMNS + 20, height + 90
	print "<rect width=\"100%\" height=\"100%\" fill=\"#fafafa\"/>"
	printf "<text x=\"50\" y=\"22\" font-size=\"14\">%d KiB in one piece from a pool of %d MiB that is in use: physical memory down, time across</text>\n",
		kib, npages / 256
	for (k = 1; k <= film; k++) {
		printf "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\" stroke=\"#555\"/>\n",
			lefts[k], top, COLUMNS, ROWS, colour["a"]
		for (i = 1; i <= length(order); i++) {
			s = substr(order, i, 1)
			if (path[k, s] != "")
				printf "<path d=\"%s\" stroke=\"%s\" stroke-width=\"1\" fill=\"none\" shape-rendering=\"crispEdges\"/>\n",
					path[k, s], colour[s]
		}
		for (i = 0; i < 2; i++) {
			x = lefts[k] + (i ? x_got[k] : x_asked[k])
			printf "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"#000\" stroke-dasharray=\"4 3\"/>\n",
				x, x, top - 4, height + 4
			printf "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>\n", x, height + 18,
				i ? "end" : "start", i ? sprintf("%s after %.0f ms", good[k] ? "won" : "given up", took[k]) : "asked"
		}
		printf "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">%s</text>\n", lefts[k], top - 12, title[k]
	}
	printf "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">high</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">low</text>\n",
		44, top + 12, 44, height
	x = 50
	y = height + 44
	for (i = 1; i <= length(order); i++) {
		s = substr(order, i, 1)
		printf "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" fill=\"%s\" stroke=\"#555\"/><text x=\"%d\" y=\"%d\">%s</text>\n",
			x, y - 10, colour[s], x + 18, y, name[s]
		x += 210
		if (i % 4 == 0) {
			x = 50
			y += 22
		}
	}
	print "</svg>"
}
