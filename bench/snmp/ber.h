/* BER as SNMP uses it (RFC 3417, section 8): a reader that stays inside its bounds, and a writer from the end. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    INTEGER = 0x02, OCTETS = 0x04, OBJECT_ID = 0x06, SEQUENCE = 0x30,
    COUNTER32 = 0x41, GAUGE32 = 0x42, TIMETICKS = 0x43, COUNTER64 = 0x46,
    NO_SUCH_INSTANCE = 0x81, END_OF_MIB_VIEW = 0x82,
    GET = 0xa0, GETNEXT = 0xa1, RESPONSE = 0xa2, GETBULK = 0xa5, REPORT = 0xa8,
};

typedef struct {
    const uint8_t *at, *end;
} Reader;

static inline size_t left(const Reader *r) { return (size_t)(r->end - r->at); }

/* Enter the next element: `inside` becomes its content, the reader stands behind it. Returns its tag, or -1. */
static int enter(Reader *r, Reader *inside)
{
    if (left(r) < 2)
        return -1;
    int tag = *r->at++;
    size_t length = *r->at++;
    if (length & 0x80) {
        unsigned bytes = length & 0x7f;
        if (bytes > 3 || left(r) < bytes)
            return -1;
        for (length = 0; bytes; bytes--)
            length = length << 8 | *r->at++;
    }
    if (left(r) < length)
        return -1;
    *inside = (Reader){r->at, r->at + length};
    r->at += length;
    return tag;
}

static bool enter_as(Reader *r, int tag, Reader *inside) { return enter(r, inside) == tag; }

static bool read_integer(Reader *r, int64_t *value)
{
    Reader in;
    if (!enter_as(r, INTEGER, &in) || left(&in) < 1 || left(&in) > 5)
        return false;
    int64_t v = (int8_t)*in.at++;
    while (in.at < in.end)
        v = v * 256 + *in.at++;
    *value = v;
    return true;
}

/* Read the arcs of an OBJECT IDENTIFIER; returns how many there are, or -1 when there are more than `most`. */
static int read_arcs(Reader in, uint32_t *arcs, int most)
{
    int n = 0;
    while (in.at < in.end) {
        uint32_t arc = 0;
        do
            arc = arc << 7 | (*in.at & 0x7f);
        while (*in.at++ & 0x80 && in.at < in.end);
        if (n + 2 > most)
            return -1;
        if (n == 0) {
            uint32_t root = arc < 80 ? arc / 40 : 2;
            arcs[n++] = root;
            arc -= root * 40;
        }
        arcs[n++] = arc;
    }
    return n;
}

/* --- writing forwards, where the lengths are known: each returns the octets written --------------------- */

static inline size_t write_unsigned(uint8_t *to, uint8_t tag, uint64_t value)
{
    /* One bit more than the value needs: a leading 1 would be a sign. */
    int bytes = (64 - __builtin_clzll(value | 1)) / 8 + 1;
    to[0] = tag;
    to[1] = (uint8_t)bytes;
    for (int i = bytes; i > 0; i--, value >>= 8)
        to[1 + i] = (uint8_t)value;
    return 2 + (size_t)bytes;
}

static inline size_t write_short(uint8_t *to, uint8_t tag, const void *octets, size_t n)
{
    to[0] = tag;
    to[1] = (uint8_t)n;
    memcpy(to + 2, octets, n);
    return 2 + n;
}

static size_t write_oid(uint8_t *to, const uint32_t *arcs, int n)
{
    uint8_t content[127];
    size_t length = 0;
    content[length++] = (uint8_t)(arcs[0] * 40 + arcs[1]);
    for (int i = 2; i < n; i++)
        for (int shift = 28; shift >= 0; shift -= 7)
            if (shift == 0 || arcs[i] >> shift)
                content[length++] = (uint8_t)((arcs[i] >> shift & 0x7f) | (shift ? 0x80 : 0));
    return write_short(to, OBJECT_ID, content, length);
}

/* --- writing backwards, so that what encloses comes after what is enclosed: each returns the new front --- */

static uint8_t *wrap(uint8_t *front, const uint8_t *end, uint8_t tag)
{
    size_t length = (size_t)(end - front);
    if (length > 0xff) {
        *--front = (uint8_t)length;
        *--front = (uint8_t)(length >> 8);
        *--front = 0x82;
    } else {
        *--front = (uint8_t)length;
        if (length > 0x7f)
            *--front = 0x81;
    }
    *--front = tag;
    return front;
}

static uint8_t *before_integer(uint8_t *front, int64_t value)
{
    const uint8_t *end = front;
    for (;;) {
        *--front = (uint8_t)value;
        bool negative = *front & 0x80;
        value >>= 8;
        if (value == (negative ? -1 : 0))
            return wrap(front, end, INTEGER);
    }
}

static uint8_t *before_octets(uint8_t *front, const void *octets, size_t n)
{
    const uint8_t *end = front;
    front -= n;
    memcpy(front, octets, n);
    return wrap(front, end, OCTETS);
}
