#!/bin/sh
# Makes the vectors that G.722 is checked against, with programs that share no
# line with ours: spandsp 0.0.6 encodes, ffmpeg 5.1 decodes (Debian 12's). The
# files are committed, so a test needs neither.
#
#     apt-get install espeak-ng sox ffmpeg gcc libspandsp-dev && ./make.sh
#
# in.s16     what is encoded: speech, then full-scale square wave and noise;
#            16-bit little-endian samples at 16000 Hz
# in.g722    in.s16 by spandsp
# out.s16    in.g722 decoded by ffmpeg
# any.g722   bytes without sense
# any.s16    any.g722 decoded by ffmpeg
set -eu
cd "$(dirname "$0")"

espeak-ng -v en-us+f3 -s 165 -w speech.tmp.wav "She sells sea shells."
sox -D speech.tmp.wav -r 16000 -c 1 -b 16 1.tmp.wav gain -n -1
sox -D -R -n -r 16000 -c 1 -b 16 2.tmp.wav synth 0.05 square 300
sox -D -R -n -r 16000 -c 1 -b 16 3.tmp.wav synth 0.05 whitenoise
sox -D 1.tmp.wav 2.tmp.wav 3.tmp.wav -t raw -e signed -b 16 -L in.s16
gcc -O1 -o encode.tmp encode.c -lspandsp -ltiff -lm
./encode.tmp <in.s16 >in.g722
ffmpeg -v error -y -f g722 -i in.g722 -f s16le -bitexact out.s16
[ -f any.g722 ] || head -c 2000 /dev/urandom >any.g722
ffmpeg -v error -y -f g722 -i any.g722 -f s16le -bitexact any.s16
rm ./*.tmp ./*.tmp.wav
