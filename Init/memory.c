// Strings and bytes. The compiler may call memcpy and memset by itself: they must exist.

void *memcpy(void *to, const void *from, size_t length) {
    char *target = to;
    for (const char *source = from; length > 0; length--)
        *target++ = *source++;
    return to;
}

void *memset(void *to, int value, size_t length) {
    for (char *target = to; length > 0; length--)
        *target++ = (char)value;
    return to;
}

__attribute__((unused)) static size_t text_length(const char *text) {
    size_t length = 0;
    while (text[length] != 0)
        length++;
    return length;
}

/// Reads a decimal number; -1 for "-". Moves `*at` behind it and one separator.
__attribute__((unused)) static int take_number(const char **at) {
    const char *next = *at;
    int value = 0;
    if (*next == '-') {
        value = -1;
        next++;
    } else {
        while (*next >= '0' && *next <= '9')
            value = value * 10 + (*next++ - '0');
    }
    if (*next != 0)
        next++;
    *at = next;
    return value;
}
