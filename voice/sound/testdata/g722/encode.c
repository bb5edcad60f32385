/* Encodes raw 16-bit samples at 16000 Hz by spandsp: make.sh. */
#include <stdint.h>
#include <stdio.h>
#include <spandsp.h>

int main(void)
{
	static int16_t pcm[1 << 20];
	static uint8_t code[1 << 19];
	size_t n = fread(pcm, 2, 1 << 20, stdin);
	g722_encode_state_t *s = g722_encode_init(NULL, 64000, 0);
	int bytes = g722_encode(s, code, pcm, (int)n);
	fwrite(code, 1, (size_t)bytes, stdout);
	return 0;
}
