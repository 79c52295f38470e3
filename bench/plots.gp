# SPDX-License-Identifier: GPL-2.0-only
# Plot the figures from the files of plot-data.awk in the current folder.

set terminal svg size 720,400 font "sans,12" background "white"
set style fill solid 0.8
set boxwidth 0.7
set grid ytics
unset key

set output "calls.svg"
set title "What a way of protecting a call adds to it"
set ylabel "instructions"
set xtics rotate by -30
set yrange [0:*]
plot "calls.dat" using 0:2:xtic(1) with boxes lc rgb "#4477aa", \
     "" using 0:2:2 with labels offset 0,0.6

set output "cpus.svg"
set title "A call, on 1, 2 and 4 CPUs at once"
set ylabel "ns of emulated CPUs"
set logscale y 2
set yrange [8:*]
set key top left
set style data histogram
set style histogram clustered gap 1
set boxwidth 0.9
plot "cpus.dat" using 2:xtic(1) title "1 CPU" lc rgb "#4477aa", \
     "" using 3 title "2" lc rgb "#66ccee", "" using 4 title "4" lc rgb "#ee6677"
unset logscale y

set style data linespoints
set logscale x 10
set xlabel "pairs"
set xtics norotate
set key bottom right
set yrange [0:*]
set format x "10^{%L}"

set output "bindings.svg"
set title "Attach and detach a pair, of so many"
set ylabel "instructions a pair"
plot "nmr-clients.dat" using 1:2 title "nmr, clients" lw 2, \
     "nmr-providers.dat" using 1:2 title "nmr, providers" lw 2, \
     "nmr-no-uevents-clients.dat" using 1:2 title "nmr, clients, uevents=N" lw 2, \
     "auxiliary-clients.dat" using 1:2 title "auxiliary bus" lw 2, \
     "platform-clients.dat" using 1:2 title "platform bus" lw 2

set output "memory.svg"
set title "Memory of a pair, of so many"
set ylabel "bytes a pair"
plot "nmr-clients.dat" using 1:3 title "nmr, clients" lw 2, \
     "nmr-providers.dat" using 1:3 title "nmr, providers" lw 2, \
     "auxiliary-clients.dat" using 1:3 title "auxiliary bus" lw 2, \
     "platform-clients.dat" using 1:3 title "platform bus" lw 2
