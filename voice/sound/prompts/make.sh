#!/bin/sh
# Makes the spoken prompts of this folder anew: espeak-ng speaks, sox trims,
# shapes for the telephone band and levels. The files are committed, so a build
# needs neither. Made with Debian 12's espeak-ng 1.51 and sox 14.4.2.
#
#     apt-get install espeak-ng sox && ./make.sh
set -eu
cd "$(dirname "$0")"

say() {
	espeak-ng -v en-us+f3 -s 145 -p 45 -g 3 -w "$1.tmp.wav" "$2"
	# Silence cut at both ends; 200 to 3600 Hz; peaks at -6 dB (about -22 dBFS
	# on average); 0.3 s of quiet before and 0.7 s after; no dither, so that the
	# same text gives the same file.
	sox -D "$1.tmp.wav" -r 8000 -c 1 -b 16 "$1.wav" \
		silence 1 0.01 0.3% reverse silence 1 0.01 0.3% reverse \
		highpass 200 lowpass 3600 gain -n -6 fade t 0.01 reverse fade t 0.01 reverse pad 0.3 0.7
	rm "$1.tmp.wav"
}

say not-signed-in "The person you are calling is not at a telephone now."
say number-unknown "This number is not in use."
say no-answer "Nobody answers."
say try-later "The call cannot be connected now."
