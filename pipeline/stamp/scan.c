// The entropy-coded data of a baseline JPEG, written again with other restart markers, with the standard
// Huffman tables and, if wanted, with other quantization tables (ITU-T T.81, annexes B, C and F).
//
// `make wasm` compiles this to scan.wasm. It needs no library, and all it can touch is its own memory: the
// input, the same without stuffing, and the output, one behind the other.

#include <stdint.h>

// A test compares this with the source.
__attribute__((used, retain)) static const char source[] = SOURCE;

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;

#define EXPORT __attribute__((visibility("default")))
#define INLINE static inline __attribute__((always_inline))

enum { COMPONENTS = 3, BLOCKS = 10, TABLE = 16 + 256, PAGE = 65536 };
enum { SPARE = 8192 };  // bytes; an MCU takes less, even if it is damaged
enum { LONGEST = 16, SHORT = 8, WINDOW = 12 };  // bits of a code, and of those that tables are indexed by
enum { END_OF_BLOCK = 0x00, SIXTEEN_ZEROS = 0xF0 };
// What the input has: the standard Huffman tables; others; any, and its coefficients are to be divided.
enum { COPY, TRANSLATE, DIVIDE };

// What Python writes before a call. Tables have the form of a DHT segment: how many codes there are of each
// length, and the values. Quantization tables are in zigzag order.
static struct {
    u32 length;        // of the input, in bytes
    u32 mcus;
    u32 interval;      // in MCUs between two restart markers of the input; 0: there are none
    u32 new_interval;
    u32 mode;          // COPY, TRANSLATE or DIVIDE
    u32 blocks;        // in an MCU
    u8 component[BLOCKS + 2];  // of each block
    u8 tables[2 * COMPONENTS][TABLE];  // of each component, DC and AC
    u16 divisors[COMPONENTS][64];
} job;

static u8 standard_tables[4][TABLE];  // DC and AC of luma, DC and AC of chroma

EXPORT void *job_at(void) { return &job; }
EXPORT void *standard_at(void) { return standard_tables; }

// --- Huffman tables

typedef struct {
    u8 length[1 << SHORT], symbol[1 << SHORT];  // by the next bits; length 0: a longer code
    i32 last[LONGEST + 1], offset[LONGEST + 1];  // of each length: the last code, and from codes to values
    u8 values[256];
    u32 code[256];  // by symbol: code << 8 | length; 0: there is none
    // By the next bits: what follows the AC coefficient before them, several symbols at once where they fit.
    // Bits 0 to 4: the number of bits; 5 to 9: the number of coefficients; 10: the block ends. 0: look closer.
    u16 skip[1 << WINDOW];
} Table;

static Table standard[4], own[2 * COMPONENTS];

static int build(Table *table, const u8 *counts) {
    const u8 *values = counts + 16;
    u32 code = 0, number = 0;
    __builtin_memset(table, 0, sizeof *table - sizeof table->skip);
    for (u32 length = 1; length <= LONGEST; length++) {
        table->offset[length] = (i32)(number - code);
        for (u32 i = 0; i < counts[length - 1]; i++, number++, code++) {
            if (number > 255 || code >= 1u << length) return 0;
            u8 symbol = table->values[number] = values[number];
            table->code[symbol] = code << 8 | length;
            if (length > SHORT) continue;
            for (u32 bits = code << (SHORT - length); bits < (code + 1) << (SHORT - length); bits++) {
                table->length[bits] = (u8)length;
                table->symbol[bits] = symbol;
            }
        }
        table->last[length] = (i32)code - 1;
        code <<= 1;
    }
    return 1;
}

// Return symbol << 8 | length of the code that 64 bits begin with, or 0.
INLINE u32 look_up(const Table *table, u64 bits) {
    u32 first = (u32)(bits >> (64 - SHORT));
    if (table->length[first]) return table->symbol[first] << 8 | table->length[first];
    for (u32 length = SHORT + 1; length <= LONGEST; length++) {
        i32 code = (i32)(bits >> (64 - length));
        if (code <= table->last[length]) return table->values[(table->offset[length] + code) & 255] << 8 | length;
    }
    return 0;
}

static void build_skip(Table *table) {
    for (u32 window = 0; window < 1u << WINDOW; window++) {
        u32 bits = 0, coefficients = 0, ends = 0;
        while (!ends) {
            u32 found = look_up(table, (u64)window << (64 - WINDOW) << bits);
            u32 length = found & 255, symbol = found >> 8, size = symbol & 15;
            if (!found || bits + length > WINDOW) break;
            // The end of a block counts as a coefficient: it cannot follow the last one.
            u32 more = symbol == END_OF_BLOCK ? 1 : (symbol >> 4) + 1;
            if (coefficients + more > 31 || bits + length + size > 31) break;
            if (!size && symbol != END_OF_BLOCK && symbol != SIXTEEN_ZEROS) break;
            bits += length + size;
            coefficients += more;
            ends = symbol == END_OF_BLOCK;
            if (bits >= WINDOW) break;
        }
        table->skip[window] = (u16)(bits | coefficients << 5 | ends << 10);
    }
}

EXPORT int build_standard(void) {
    int good = 1;
    for (u32 i = 0; i < 4; i++) {
        good &= build(&standard[i], standard_tables[i]);
        build_skip(&standard[i]);
    }
    return good;
}

EXPORT int build_own(void) {
    int good = 1;
    for (u32 i = 0; i < 2 * COMPONENTS; i++) good &= build(&own[i], job.tables[i]);
    return good;
}

// --- Memory

extern u8 __heap_base;
static u8 *input, *output, *limit;
static u32 *words;  // the input's next interval without stuffing, in 32 bits each, the first bit the highest

// Return where to write an input of this length, or 0. Copied bits take at most twice their room, because every
// byte may have to be stuffed; `run` checks that the rest does not exceed what is left.
EXPORT u8 *reserve(u32 length, u32 mcus) {
    u32 plain = (length + SPARE) & ~7u;
    u64 needed = (u64)(uintptr_t)&__heap_base + 8 + 4 * (u64)plain + 32 * (u64)mcus;
    if (needed >> 31) return 0;
    u32 pages = (u32)(needed / PAGE) + 1, present = (u32)__builtin_wasm_memory_size(0);
    if (pages > present && __builtin_wasm_memory_grow(0, pages - present) == (__SIZE_TYPE__)-1) return 0;
    input = (u8 *)(((uintptr_t)&__heap_base + 7) & ~(uintptr_t)7);
    words = (u32 *)(input + plain);
    output = input + 2 * plain;
    limit = (u8 *)((uintptr_t)__builtin_wasm_memory_size(0) * PAGE - SPARE);
    return input;
}

EXPORT u8 *output_at(void) { return output; }

// --- Bits

INLINE int has_ff(u32 word) {
    u32 inverse = ~word;
    return ((inverse - 0x01010101u) & ~inverse & 0x80808080u) != 0;
}

// Return the bits from a position on, at least 33 of them: a code and the number after it take 32 at most.
INLINE u64 peek(u32 position) {
    u32 word = position >> 5;
    return ((u64)words[word] << 32 | words[word + 1]) << (position & 31);
}

// Remove the stuffing of the data from `from` up to the next marker, and return its number of bits.
static u32 unstuff(const u8 *from, const u8 *end, const u8 **marker) {
    u32 *to = words, pending = 0, total = 0;
    u64 bits = 0;
    while (from < end) {
        u32 word;
        if (end - from >= 4 && (__builtin_memcpy(&word, from, 4), !has_ff(word))) {
            bits |= (u64)__builtin_bswap32(word) << (32 - pending);
            *to++ = (u32)(bits >> 32);
            bits <<= 32;
            from += 4;
            total += 32;
            continue;
        }
        if (*from == 0xFF && (end - from < 2 || from[1])) break;
        bits |= (u64)*from << (56 - pending);
        from += *from == 0xFF ? 2 : 1;
        total += 8;
        pending += 8;
        if (pending == 32) {
            *to++ = (u32)(bits >> 32);
            bits <<= 32;
            pending = 0;
        }
    }
    *to = (u32)(bits >> 32);
    *marker = from;
    return total;
}

typedef struct {
    u8 *to;
    u64 bits;  // those still to be written, the first bit the highest
    u32 pending;  // how many; fewer than 32
} Writer;

INLINE void write_byte(Writer *writer, u8 byte) {
    *writer->to++ = byte;
    if (byte == 0xFF) *writer->to++ = 0;
}

// Write 1 to 32 bits.
INLINE void put(Writer *writer, u32 value, u32 count) {
    writer->bits |= (u64)value << (64 - writer->pending - count);
    writer->pending += count;
    if (writer->pending < 32) return;
    u32 word = (u32)(writer->bits >> 32);
    if (!has_ff(word)) {
        word = __builtin_bswap32(word);
        __builtin_memcpy(writer->to, &word, 4);
        writer->to += 4;
    } else {
        for (i32 shift = 24; shift >= 0; shift -= 8) write_byte(writer, (u8)(word >> shift));
    }
    writer->bits <<= 32;
    writer->pending -= 32;
}

static void copy(Writer *writer, u32 from, u32 to) {
    for (; from + 32 <= to; from += 32) put(writer, (u32)(peek(from) >> 32), 32);
    if (from < to) put(writer, (u32)(peek(from) >> 32 >> (32 - (to - from))), to - from);
}

// Fill the last byte with ones.
static void finish(Writer *writer) {
    u32 missing = -writer->pending & 7;
    if (missing) put(writer, (1u << missing) - 1, missing);
    for (; writer->pending; writer->pending -= 8, writer->bits <<= 8) write_byte(writer, (u8)(writer->bits >> 56));
}

static void put_marker(Writer *writer, u32 number) {
    finish(writer);
    *writer->to++ = 0xFF;
    *writer->to++ = (u8)(0xD0 + number);
}

// --- Coefficients

// Return the number that these bits begin with (F.2.2.1).
INLINE i32 extend(u64 bits, u32 size) {
    if (!size) return 0;
    u32 value = (u32)(bits >> (64 - size));
    return value >> (size - 1) ? (i32)value : (i32)value - (i32)(1u << size) + 1;
}

// Write a number after the code of its size, and of the zeros before it; return 0 if there is no such code.
INLINE int put_number(Writer *writer, const Table *table, u32 zeros, i32 number) {
    u32 magnitude = (u32)(number < 0 ? -number : number);
    u32 size = magnitude ? 32 - (u32)__builtin_clz(magnitude) : 0;
    if (size > 15) return 0;
    u32 code = table->code[zeros << 4 | size];
    if (!code) return 0;
    u32 bits = (u32)(number < 0 ? number - 1 : number) & ((1u << size) - 1);
    put(writer, (code >> 8) << size | bits, (code & 255) + size);
    return 1;
}

INLINE i32 divide(i32 number, i32 divisor) {
    if (divisor == 1) return number;
    return number < 0 ? -((divisor / 2 - number) / divisor) : (number + divisor / 2) / divisor;
}

// Return the position after a block's AC coefficients, which begin at `position`; 0 if they are damaged.
INLINE u32 skip_coefficients(const Table *table, u32 position) {
    for (u32 at = 1; at < 64;) {
        u64 bits = peek(position);
        u32 entry = table->skip[bits >> (64 - WINDOW)], next = at + (entry >> 5 & 31);
        if (entry && next <= 64) {
            position += entry & 31;
            at = next | entry >> 10 << 6;
            continue;
        }
        u32 found = look_up(table, bits), symbol = found >> 8;
        if (!found) return 0;
        position += (found & 255) + (symbol & 15);
        if (symbol == END_OF_BLOCK) break;
        at += (symbol >> 4) + 1;
        if (at > 64 || (!(symbol & 15) && symbol != SIXTEEN_ZEROS)) return 0;
    }
    return position;
}

// The same, and write them again: with the codes of another table, and divided by `divisors` in the mode DIVIDE.
INLINE u32 recode_coefficients(
    const int mode, const Table *table, const Table *new_table, const u16 *divisors, u32 position, Writer *writer
) {
    u32 zeros = 0;
    for (u32 at = 1; at < 64;) {
        u64 bits = peek(position);
        u32 found = look_up(table, bits), length = found & 255, symbol = found >> 8, size = symbol & 15;
        if (!found) return 0;
        position += length + size;
        if (symbol == END_OF_BLOCK) {
            zeros += 64 - at;
            break;
        }
        at += (symbol >> 4) + 1;
        if (at > 64 || (!size && symbol != SIXTEEN_ZEROS)) return 0;
        if (mode == TRANSLATE) {
            u32 code = new_table->code[symbol];
            if (!code) return 0;
            put(writer, (code >> 8) << size | (u32)(bits << length >> 1 >> (63 - size)), (code & 255) + size);
            continue;
        }
        zeros += symbol >> 4;
        i32 number = size ? divide(extend(bits << length, size), divisors[at - 1]) : 0;
        if (!number) {
            zeros++;
            continue;
        }
        for (; zeros > 15; zeros -= 16) {
            u32 code = new_table->code[SIXTEEN_ZEROS];
            put(writer, code >> 8, code & 255);
        }
        if (!put_number(writer, new_table, zeros, number)) return 0;
        zeros = 0;
    }
    if (zeros) {
        u32 code = new_table->code[END_OF_BLOCK];
        put(writer, code >> 8, code & 255);
    }
    return position;
}

// --- The scan

// Write the input again, and return the output's length, or 0 if the input is damaged.
INLINE u32 recode(const int mode) {
    const int copies = mode == COPY;
    const u8 *from = input, *end = input + job.length;
    Writer writer = {output, 0, 0};
    i32 dc[COMPONENTS] = {0}, new_dc[COMPONENTS] = {0};
    u32 position = 0, copied = 0, bits = unstuff(from, end, &from);
    u32 left = job.interval, new_left = job.new_interval, number = 0, new_number = 0;
    u32 first = (1 << COMPONENTS) - 1;  // the components whose next DC coefficient must be written again

    for (u32 mcu = 0; mcu < job.mcus; mcu++, left--, new_left--) {
        if (job.interval && !left) {
            if (copies) copy(&writer, copied, position);
            if (bits - position >= 8 || end - from < 2 || from[1] != 0xD0 + number) return 0;
            bits = unstuff(from + 2, end, &from);
            position = copied = 0;
            left = job.interval;
            number = (number + 1) & 7;
            for (u32 i = 0; i < COMPONENTS; i++) dc[i] = 0;
            first = (1 << COMPONENTS) - 1;
        }
        if (!new_left) {
            if (copies) copy(&writer, copied, position);
            copied = position;
            put_marker(&writer, new_number);
            new_left = job.new_interval;
            new_number = (new_number + 1) & 7;
            for (u32 i = 0; i < COMPONENTS; i++) new_dc[i] = 0;
            first = (1 << COMPONENTS) - 1;
        }
        for (u32 block = 0; block < job.blocks; block++) {
            u32 component = job.component[block], kind = component ? 2 : 0;
            const Table *tables = copies ? &standard[kind] : &own[2 * component];
            u64 next = peek(position);
            u32 found = look_up(&tables[0], next), length = found & 255, size = found >> 8;
            if (!found || size > 11) return 0;
            dc[component] += extend(next << length, size);
            i32 value = divide(dc[component], job.divisors[component][0]);
            if (!copies || first >> component & 1) {
                if (copies) copy(&writer, copied, position);
                if (!put_number(&writer, &standard[kind], 0, value - new_dc[component])) return 0;
                copied = position + length + size;
                first &= ~(1u << component);
            }
            new_dc[component] = value;
            position += length + size;
            if (copies) {
                position = skip_coefficients(&tables[1], position);
            } else {
                const u16 *divisors = job.divisors[component];
                position = recode_coefficients(mode, &tables[1], &standard[kind + 1], divisors, position, &writer);
            }
            if (!position) return 0;
        }
        if (position > bits || writer.to > limit) return 0;
    }
    if (copies) copy(&writer, copied, position);
    finish(&writer);
    while (end - from > 2 && from[1] == 0xFF) from++;
    return end - from >= 2 && from[1] == 0xD9 ? (u32)(writer.to - output) : 0;
}

EXPORT u32 run(void) {
    return job.mode == COPY ? recode(COPY) : job.mode == TRANSLATE ? recode(TRANSLATE) : recode(DIVIDE);
}
