/* HMAC-SHA1 (RFC 2104, FIPS 180-4) and base64, for one purpose: to sign a hook as Twilio does. */
#pragma once
#include <stdint.h>
#include <string.h>

#define SHA1_BYTES 20
#define SHA1_BLOCK 64

typedef struct {
    uint32_t state[5];
    uint64_t size;
    unsigned char block[SHA1_BLOCK];
} sha1;

static inline uint32_t rotated(uint32_t value, int by) { return value << by | value >> (32 - by); }

static inline void sha1_mix(sha1 *h) {
    uint32_t w[80], a = h->state[0], b = h->state[1], c = h->state[2], d = h->state[3], e = h->state[4];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)h->block[4 * i] << 24 | (uint32_t)h->block[4 * i + 1] << 16 | (uint32_t)h->block[4 * i + 2] << 8 |
               h->block[4 * i + 3];
    for (int i = 16; i < 80; i++) w[i] = rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
        uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
        uint32_t next = rotated(a, 5) + f + e + k + w[i];
        e = d, d = c, c = rotated(b, 30), b = a, a = next;
    }
    h->state[0] += a, h->state[1] += b, h->state[2] += c, h->state[3] += d, h->state[4] += e;
}

static inline void sha1_add(sha1 *h, const void *bytes, size_t count) {
    for (const unsigned char *at = bytes; count--; at++) {
        h->block[h->size++ % SHA1_BLOCK] = *at;
        if (h->size % SHA1_BLOCK == 0) sha1_mix(h);
    }
}

static inline sha1 sha1_begin(void) {
    return (sha1){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
}

static inline void sha1_end(sha1 *h, unsigned char *digest) {
    uint64_t bits = h->size * 8;
    unsigned char size[8], zero = 0, mark = 0x80;
    for (int i = 0; i < 8; i++) size[i] = (unsigned char)(bits >> (56 - 8 * i));
    sha1_add(h, &mark, 1);
    while (h->size % SHA1_BLOCK != SHA1_BLOCK - 8) sha1_add(h, &zero, 1);
    sha1_add(h, size, 8);
    for (int i = 0; i < SHA1_BYTES; i++) digest[i] = (unsigned char)(h->state[i / 4] >> (24 - 8 * (i % 4)));
}

/* The key is shorter than a block. `text` gets 28 characters and its end. */
static inline void hmac_sha1_base64(const char *key, const char *message, char *text) {
    static const char SIGNS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char pad[SHA1_BLOCK] = {0}, digest[SHA1_BYTES + 1] = {0};
    memcpy(pad, key, strlen(key));
    for (int i = 0; i < SHA1_BLOCK; i++) pad[i] ^= 0x36;
    sha1 h = sha1_begin();
    sha1_add(&h, pad, SHA1_BLOCK);
    sha1_add(&h, message, strlen(message));
    sha1_end(&h, digest);
    for (int i = 0; i < SHA1_BLOCK; i++) pad[i] ^= 0x36 ^ 0x5c;
    h = sha1_begin();
    sha1_add(&h, pad, SHA1_BLOCK);
    sha1_add(&h, digest, SHA1_BYTES);
    sha1_end(&h, digest);
    for (int i = 0; i < 7; i++) {
        uint32_t three = (uint32_t)digest[3 * i] << 16 | (uint32_t)digest[3 * i + 1] << 8 | digest[3 * i + 2];
        for (int k = 0; k < 4; k++) *text++ = SIGNS[three >> (18 - 6 * k) & 63];
    }
    text[-1] = '=';
    *text = 0;
}
