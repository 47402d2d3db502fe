/* The User-based Security Model (RFC 3414) with HMAC-192-SHA-256 (RFC 7860) and CFB128-AES-128 (RFC 3826). */
#pragma once
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_CTX can be copied without a malloc, EVP's cannot */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include "ber.h"

enum { KEY = 32, MAC_BYTES = 24, SALT = 8, ENGINE_ID = 9, BLOCK = 64 };

/* What is kept of a device's keys: the two halves of its HMAC after their first block, and the AES key. */
typedef struct {
    SHA256_CTX inner, outer;
    uint8_t aes[16];
} Keys;

static uint8_t auth_master[KEY], priv_master[KEY];

/* RFC 3414, A.2: the digest of a million octets of the password, repeated. */
static void master_key(const char *password, uint8_t key[KEY])
{
    SHA256_CTX sha;
    SHA256_Init(&sha);
    size_t length = strlen(password), at = 0;
    for (size_t done = 0; done < 1048576; done += BLOCK) {
        uint8_t block[BLOCK];
        for (size_t i = 0; i < BLOCK; i++)
            block[i] = (uint8_t)password[at++ % length];
        SHA256_Update(&sha, block, BLOCK);
    }
    SHA256_Final(key, &sha);
}

/* RFC 3411, SnmpEngineID, format 1: an enterprise with the top bit set, and the IPv4 address. */
static void engine_id(uint32_t device, uint8_t id[ENGINE_ID])
{
    const uint8_t octets[ENGINE_ID] = {
        0x80, 0x00, 0x1f, 0x88, 1, 127, (uint8_t)(device >> 16), (uint8_t)(device >> 8), (uint8_t)device,
    };
    memcpy(id, octets, ENGINE_ID);
}

static void localize(const uint8_t master[KEY], uint32_t device, uint8_t key[KEY])
{
    uint8_t id[ENGINE_ID];
    engine_id(device, id);
    SHA256_CTX sha;
    SHA256_Init(&sha);
    SHA256_Update(&sha, master, KEY);
    SHA256_Update(&sha, id, ENGINE_ID);
    SHA256_Update(&sha, master, KEY);
    SHA256_Final(key, &sha);
}

static void start_half(SHA256_CTX *sha, const uint8_t key[KEY], uint8_t pad)
{
    uint8_t block[BLOCK];
    memset(block, pad, BLOCK);
    for (int i = 0; i < KEY; i++)
        block[i] ^= key[i];
    SHA256_Init(sha);
    SHA256_Update(sha, block, BLOCK);
}

static void make_keys(Keys *keys, uint32_t device)
{
    uint8_t key[KEY];
    localize(auth_master, device, key);
    start_half(&keys->inner, key, 0x36);
    start_half(&keys->outer, key, 0x5c);
    localize(priv_master, device, key);
    memcpy(keys->aes, key, sizeof keys->aes);
}

static void sign(const Keys *keys, const uint8_t *message, size_t n, uint8_t mac[MAC_BYTES])
{
    uint8_t digest[KEY];
    SHA256_CTX sha = keys->inner;
    SHA256_Update(&sha, message, n);
    SHA256_Final(digest, &sha);
    sha = keys->outer;
    SHA256_Update(&sha, digest, KEY);
    SHA256_Final(digest, &sha);
    memcpy(mac, digest, MAC_BYTES);
}

/* RFC 3826, 3.1.2.1: the initialization vector is boots, time and the salt. */
static void initial_vector(uint8_t iv[16], uint32_t boots, uint32_t time, const uint8_t salt[SALT])
{
    for (int i = 0; i < 4; i++) {
        iv[i] = (uint8_t)(boots >> (24 - 8 * i));
        iv[4 + i] = (uint8_t)(time >> (24 - 8 * i));
    }
    memcpy(iv + 8, salt, SALT);
}

/* Encrypt (or decrypt) in place. */
static bool cipher(const Keys *keys, bool encrypting, const uint8_t iv[16], uint8_t *text, size_t n)
{
    static EVP_CIPHER_CTX *contexts[2];
    static EVP_CIPHER *aes;
    EVP_CIPHER_CTX **context = &contexts[encrypting];
    int written;
    if (!aes)
        aes = EVP_CIPHER_fetch(NULL, "AES-128-CFB", NULL);
    if (!*context)
        *context = EVP_CIPHER_CTX_new();
    return EVP_CipherInit_ex2(*context, aes, keys->aes, iv, encrypting, NULL)
        && EVP_CipherUpdate(*context, text, &written, text, (int)n);
}
