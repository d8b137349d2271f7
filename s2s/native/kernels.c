/* What decoding does at every step and torch does in many calls: products with weights of 8 bits, an lstm's step, the
 * best of many scores. Compiled at first use by build.py; called from scores.py and int8.py, which say what is what.
 *
 * Matrices are dense, row by row. Rows are worked out alone, whatever is beside them: neighbors never change a result,
 * nor do threads.
 */

#include <math.h>
#include <stdint.h>
#include <string.h>

/* e^x to 2e-7 of itself: 2^n times a polynomial between -ln 2 / 2 and ln 2 / 2. Plain, so that compilers make vectors. */
static inline float exponential(float x) {
    x = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
    float n = x * 1.44269504f + 12582912.0f; /* the sum has no digits left after the point: n is rounded */
    union { float number; uint32_t bits; } power = {n};
    power.bits = (power.bits + 127) << 23;
    n -= 12582912.0f;
    float r = x - n * 0.693145752f - n * 1.42860677e-6f; /* ln 2 in two parts, the first with few digits */
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    return p * power.number;
}

static inline float sigmoid(float x) { return 1 / (1 + exponential(-x)); }
static inline float hyperbolic_tangent(float x) { return 1 - 2 / (1 + exponential(2 * x)); }

static inline float highest(const float *x, long n) {
    float most = -INFINITY;
#pragma omp simd reduction(max : most)
    for (long i = 0; i < n; i++) most = x[i] > most ? x[i] : most;
    return most;
}

/* x [rows, n] becomes its log softmax, row by row. */
void log_softmax(float *x, long rows, long n, int threads) {
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (long r = 0; r < rows; r++) {
        float *row = x + r * n, most = highest(row, n), sum = 0;
#pragma omp simd reduction(+ : sum)
        for (long i = 0; i < n; i++) sum += exponential(row[i] - most);
        most += logf(sum);
#pragma omp simd
        for (long i = 0; i < n; i++) row[i] -= most;
    }
}

enum { CHUNK = 64 }; /* scores looked at together: most chunks have none that counts */

/* The highest `count` of rank [rows, beams] + x [rows, beams, n], best first, the first of equals first:
 * value, beam, piece [rows, count]. */
void top(const float *x, const float *rank, long rows, long beams, long n, long count, float *value, int64_t *beam,
         int64_t *piece, int threads) {
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (long r = 0; r < rows; r++) {
        float *v = value + r * count;
        int64_t *b = beam + r * count, *p = piece + r * count;
        long found = 0;
        for (long k = 0; k < beams; k++) {
            const float *from = x + (r * beams + k) * n, add = rank[r * beams + k];
            for (long start = 0; start < n; start += CHUNK) {
                long end = start + CHUNK < n ? start + CHUNK : n;
                if (found == count && !(highest(from + start, end - start) + add > v[count - 1])) continue;
                for (long i = start; i < end; i++) {
                    float now = from[i] + add;
                    if (found == count && !(now > v[count - 1])) continue;
                    long at = found < count ? found++ : count - 1;
                    for (; at > 0 && now > v[at - 1]; at--) v[at] = v[at - 1], b[at] = b[at - 1], p[at] = p[at - 1];
                    v[at] = now, b[at] = k, p[at] = i;
                }
            }
        }
    }
}

#ifndef __AVX512VNNI__
int int8(void) { return 0; }
#else
#include <immintrin.h>
int int8(void) { return 1; }

/* Four vectors of 16 outputs make a panel, and six rows by one panel fill the registers. */
enum { WIDE = 16, VECTORS = 4, PANEL = WIDE * VECTORS, ROWS = 6 };

/* A matrix [out, in] with weights of 8 bits. */
typedef struct {
    const int8_t *weight;  /* [panels, width / 4, PANEL, 4], aligned to 64 bytes */
    const float *scale;    /* [panels * PANEL], what a whole number is worth, by output */
    const int32_t *offset; /* [panels * PANEL], -128 times the sum of its weights: what is multiplied has 128 for 0 */
    long in, width, out;   /* width: `in`, up to a multiple of 4 */
    int bounded;           /* no number of x exceeds 1; else each row is divided by its largest */
} Matrix;

static void quantize(const Matrix *m, const float *x, uint8_t *whole, float *size) {
    float most = m->bounded ? 1 : 1e-8f;
    if (!m->bounded)
#pragma omp simd reduction(max : most)
        for (long i = 0; i < m->in; i++) most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
    float factor = 127 / most;
#pragma omp simd
    for (long i = 0; i < m->in; i++) whole[i] = (uint8_t)(int32_t)(x[i] * factor + 128.5f);
    for (long i = m->in; i < m->width; i++) whole[i] = 128;
    *size = most / 127;
}

static inline __attribute__((always_inline)) void multiply_rows(const Matrix *m, const uint8_t *x, long panel,
                                                                const int rows, __m512i sums[ROWS][VECTORS]) {
    const int8_t *w = m->weight + panel * PANEL * m->width;
    __m512i s[ROWS][VECTORS]; /* what is reached through a pointer would not stay in registers */
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) s[r][v] = _mm512_loadu_si512(m->offset + panel * PANEL + v * WIDE);
    for (long k = 0; k < m->width; k += 4, w += 4 * PANEL) {
        __m512i w0 = _mm512_load_si512(w), w1 = _mm512_load_si512(w + 64);
        __m512i w2 = _mm512_load_si512(w + 128), w3 = _mm512_load_si512(w + 192);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            int32_t four;
            memcpy(&four, x + r * m->width + k, 4);
            __m512i same = _mm512_set1_epi32(four);
            s[r][0] = _mm512_dpbusd_epi32(s[r][0], same, w0);
            s[r][1] = _mm512_dpbusd_epi32(s[r][1], same, w1);
            s[r][2] = _mm512_dpbusd_epi32(s[r][2], same, w2);
            s[r][3] = _mm512_dpbusd_epi32(s[r][3], same, w3);
        }
    }
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) sums[r][v] = s[r][v];
}

/* Whole sums of up to six rows of x [*, width] for one panel. */
static void multiply(const Matrix *m, const uint8_t *x, long panel, long rows, __m512i sums[ROWS][VECTORS]) {
    switch (rows) { /* a number that the compiler knows */
    case 1: multiply_rows(m, x, panel, 1, sums); break;
    case 2: multiply_rows(m, x, panel, 2, sums); break;
    case 3: multiply_rows(m, x, panel, 3, sums); break;
    case 4: multiply_rows(m, x, panel, 4, sums); break;
    case 5: multiply_rows(m, x, panel, 5, sums); break;
    default: multiply_rows(m, x, panel, ROWS, sums);
    }
}

static inline __m512 scaled(const Matrix *m, long panel, int v, __m512i sum, float size) {
    __m512 scale = _mm512_loadu_ps(m->scale + panel * PANEL + v * WIDE);
    return _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_mul_ps(scale, _mm512_set1_ps(size)));
}

/* y [rows, out] = base + x [rows, in] times the matrix. base: NULL, or row r at base + r * stride (0: a bias for all).
 * room: rows * (width + 4) bytes to work in. */
void product(const Matrix *m, const float *x, long rows, const float *base, long stride, float *y, uint8_t *room,
             int threads) {
    float *size = (float *)(room + rows * m->width);
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
#pragma omp for
        for (long r = 0; r < rows; r++) quantize(m, x + r * m->in, room + r * m->width, size + r);
#pragma omp for
        for (long panel = 0; panel < (m->out + PANEL - 1) / PANEL; panel++)
            for (long first = 0; first < rows; first += ROWS) {
                long some = rows - first < ROWS ? rows - first : ROWS;
                __m512i sums[ROWS][VECTORS];
                multiply(m, room + first * m->width, panel, some, sums);
                for (long r = first; r < first + some; r++)
                    for (int v = 0; v < VECTORS; v++) {
                        long at = panel * PANEL + v * WIDE, left = m->out - at;
                        if (left <= 0) break;
                        __mmask16 there = left >= WIDE ? 0xffff : (1 << left) - 1;
                        __m512 now = scaled(m, panel, v, sums[r - first][v], size[r]);
                        if (base) now = _mm512_add_ps(now, _mm512_maskz_loadu_ps(there, base + r * stride + at));
                        _mm512_mask_storeu_ps(y + r * m->out + at, there, now);
                    }
            }
    }
}

/* One step of an lstm: h, c [rows, H] from x [rows, in] (the old h, and what comes in) and the old c.
 * Each panel of the matrix has the gates of 16 units: input, forget, output, new. base: as above, [4 * H], one gate
 * after the other. */
void lstm(const Matrix *m, const float *x, long rows, const float *base, long stride, const float *old, float *h,
          float *c, uint8_t *room, int threads) {
    long hidden = m->out / VECTORS;
    float *size = (float *)(room + rows * m->width);
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
#pragma omp for
        for (long r = 0; r < rows; r++) quantize(m, x + r * m->in, room + r * m->width, size + r);
#pragma omp for
        for (long panel = 0; panel < hidden / WIDE; panel++)
            for (long first = 0; first < rows; first += ROWS) {
                long some = rows - first < ROWS ? rows - first : ROWS;
                __m512i sums[ROWS][VECTORS];
                multiply(m, room + first * m->width, panel, some, sums);
                for (long r = first; r < first + some; r++) {
                    float gates[VECTORS][WIDE];
                    for (int v = 0; v < VECTORS; v++) {
                        __m512 given = _mm512_loadu_ps(base + r * stride + v * hidden + panel * WIDE);
                        _mm512_storeu_ps(gates[v], _mm512_add_ps(given, scaled(m, panel, v, sums[r - first][v], size[r])));
                    }
                    long at = r * hidden + panel * WIDE;
#pragma omp simd
                    for (int j = 0; j < WIDE; j++) {
                        float more = sigmoid(gates[0][j]) * hyperbolic_tangent(gates[3][j]);
                        float now = sigmoid(gates[1][j]) * old[at + j] + more;
                        c[at + j] = now;
                        h[at + j] = sigmoid(gates[2][j]) * hyperbolic_tangent(now);
                    }
                }
            }
    }
}
#endif
