"""What is a secret in a configuration of any make: words that a secret follows, and what looks like one. Data.

A platform's file adds what only its make writes. In every expression all groups are secret. What is masked is marked by
a keyed digest, so that a changed secret is a change, and nobody learns more of it than that.
"""

# What may stand between the word and the secret: how it is encoded, or a number of a key.
_HOW = (
    r"(?:(?:\d{1,3}|cipher|irreversible-cipher|reversible-cipher|simple|plaintext|plain|hash|hashed|encrypted|encrypt"
    r"|ciphertext|ascii-text|hexadecimal|local|remote|md5|sha1|sha256|sha512|hmac-md5|hmac-sha\S*|key|key-value|ENC|psk"
    r"|clear|level|ascii|hex|text|usual|nonstandard|simple)\s+)*"
)
_VALUE = r"""(\\"[^"\\]*\\"|"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"';,]+)"""
_WORDS = (
    r"password|passwd|passwort|passphrase|pass-phrase|passcode|passkey|secret|psksecret|pre-?shared-?key"
    r"|pre-shared-secret|shared-secret|shared-key|key-string|keystring|encrypted-password|plaintext-password"
    r"|auth-pass|priv-pass|auth-pwd|priv-pwd|auth-password|priv-password|auth-key|authentication-key|privacy-key"
    r"|wpa[_-]key|wep[_-]?key\d?|common-pw|login-password|password-auth|loid-auth|checkcode-auth"
    r"|plain-text-password-value|wireless-key|private-key|encrypted-key|plaintext-key|tcp-md5-key|md5-key|secret-key|api-key|token|sharedkey"
)
_TRAPS = r"(?:version\s+(?:1|2c?|v1|v2c)|community|securityname|cipher|simple)"
_PROTOCOL = r"(?:md5|simple|text|sha|sha-?\d+|sha2-\d+|des|3des|des56|aes|aes-?\d+|aes\s+\d+)"
GENERAL: tuple[str, ...] = (
    rf"(?i)(?:^|[\s\"'_.-])(?:{_WORDS})(?:-\d+)?[\"']?\s*[\s=:]\s*{_HOW}{_VALUE}",
    rf"(?i)(?:^|[\s\"'_.])(?:psk|wpa-?psk)[\"']?\s*[\s=:]\s*{_HOW}{_VALUE}",
    # crypt(3) and its like, wherever they stand; $9$ is Junos' as well, $c$3$ and $h$6$ Comware's, $1c$ VRP's.
    r"(\$(?:\d{1,2}[a-z]?|2[aby]|y|[ch]\$\d)\$[^\s\"';]+)",
    r"(%\^%#.*?%\^%#|%[@$#]%[@$#].*?%[@$#]%[@$#])",
    rf"(?i)^\s*(?:(?:set|service)\s+)*snmp\S*\s(?:.*?\s)?community\s+(?:(?:read|write|ro|rw)\s+)?{_HOW}{_VALUE}",
    rf"(?i)snmp-(?:server|agent)\s+(?:host|target-host|trap-host)\s.*?(?:{_TRAPS}\s+)+(?:\d\s+)?{_VALUE}",
    rf"(?i)\b(?:auth|priv)(?:entication|acy)?(?:-mode|-protocol)?\s+{_PROTOCOL}\s+{_HOW}{_VALUE}",
    rf"(?i)snmp-server\s+user\s.*?\spriv\s+(?:(?:des|3des|aes|aes-?\d+)\s+)?(?:\d{{3}}\s+)?{_VALUE}",
    rf"(?i)message-digest-key\s+\d+\s+(?:md5|hmac\S*)\s+{_HOW}{_VALUE}",
    rf"(?i)authentication-key(?:id)?\s+\d+\s+(?:authentication-mode\s+)?(?:md5|sha\S*|hmac\S*)\s+{_HOW}{_VALUE}",
    rf"(?i)(?:radius|tacacs|hwtacacs|tacplus)\S*\s(?:.*?\s)?(?:key|shared-key)\s+{_HOW}{_VALUE}",
    rf"(?i)^\s*(?:server-)?key\s+(?:(?:authentication|accounting|authorization)\s+)?{_HOW}{_VALUE}\s*$",
    rf"(?i)\bkey\s+(?:[05678]|ciphertext|plaintext)\s+{_VALUE}",
    rf"(?i)\bconfig-key\s+password-encrypt(?:ion)?\s+{_VALUE}",
    rf"(?i)\bhash-algo\s+\S+\s+key\s+{_VALUE}",
    rf"(?i)^\s*(?:vrrp|standby|glbp)\s+(?:vrid\s+)?\d+\s+authentication\s+(?:(?:text|md5)\s+)?{_HOW}{_VALUE}",
    rf"(?i)\bauthentication\s+(?:text|simple-text|string)\s+{_HOW}{_VALUE}",
    rf"(?i)isakmp\s+key\s+{_HOW}{_VALUE}",
)
# A private key in PEM (RFC 7468), on as many lines as it has.
PEM_BEGINS = r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY"
PEM_ENDS = r"-----END "
# Words that stand where a secret might, and are none.
_NONE = (
    "enable enabled disable disabled yes no true false none on off required optional manager operator user-name"
    " encryption policy complexity aging expiry history minimum-length auth-pass priv-pass key-value community cipher"
    " key key-string md5 sha type control pass-phrase passphrase auto default all any prompt privilege role level"
    " set-key key-id key-chain keychain ciphertext plaintext ascii hex text string null message-digest"
    " authentication accounting authorization simple address hostname local remote version auth noauth priv size"
)
HARMLESS = frozenset(_NONE.split())
