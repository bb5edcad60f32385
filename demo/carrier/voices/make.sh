#!/bin/sh
# Makes the carrier's spoken voices beside this script: 8 kHz G.711 mu-law WAV
# files, spoken by espeak-ng and brought to telephone sound by sox. Run it again
# only to change them; the files are in the repository.
set -eu
cd "$(dirname "$0")"
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT

say() { # file language speed text...
	file=$1 voice=$2 speed=$3
	shift 3
	espeak-ng -v "$voice" -s "$speed" -w "$t/raw.wav" "$*"
	# -D: no dither, so that the same words make the same bytes.
	sox -D "$t/raw.wav" -r 8000 -c 1 -e mu-law "$t/out.wav" gain -6 highpass 200 norm -5 silence 1 0.01 0.5% reverse silence 1 0.01 0.5% reverse pad 0 0.1
	mv "$t/out.wav" "$file.wav"
}

say caller-en en-gb+f3 150 "Hello, this is the pharmacy. Your order has arrived, and I am glad that your line found you. Please say something, I can hear you."
say caller-es es+f3 150 "Hola, le llamo de la farmacia. Su pedido ha llegado. Me alegra que su línea la haya encontrado. Diga algo, la escucho."
say answer-en en-gb+m3 150 "Hello, this is Ana. I can hear you very well, wherever I sit."
say echo en-gb+f3 150 "This is the echo test. Whatever you say now comes back to you."
say clock en-gb+f3 150 "At the tone, the time will be"
say goodbye en-gb+f3 150 "Thank you for calling. Goodbye."
say ringer en-gb+f3 150 "Thank you for waiting. It took me a while to find the telephone."
say emergency en-gb+m3 150 "This is the pretend emergency centre of the demonstration. No real help will come. Your call went out before every rule."
say oclock en-gb+f3 160 "o'clock"
say and en-gb+f3 160 "and"
say seconds en-gb+f3 160 "seconds"
for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 30 40 50; do
	say "n$n" en-gb+f3 160 "$n"
done
