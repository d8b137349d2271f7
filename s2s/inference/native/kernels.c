/* What decoding does at every step and torch does slowly or in many calls: products of few rows, an lstm's step, the
 * best of many scores. Compiled at first use by build.py; called from scores.py and products.py, which say what is what.
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
int products(void) { return 0; }
#else
#include <immintrin.h>
int products(void) { return 1; }

/* Four vectors of 16 outputs make a panel; five rows by one panel stay in registers, six would be a fifth slower. */
enum { WIDE = 16, VECTORS = 4, PANEL = WIDE * VECTORS, ROWS = 5 };

/* A matrix [out, in], in panels, aligned to 64 bytes. With weights of 8 bits x is rounded to 8 bits too, as it comes. */
typedef struct {
    const void *weight;    /* 8 bits: [panels, width / 4, PANEL, 4]; 32 bits: [panels, width, PANEL] */
    const float *scale;    /* [panels * PANEL], what a whole number is worth, by output; NULL for 32 bits */
    const int32_t *offset; /* [panels * PANEL], -128 times the sum of its weights: what is multiplied has 128 for 0 */
    long in, width, out;   /* width: `in`, for 8 bits up to a multiple of 4 */
    int bounded;           /* no number of x exceeds 1; else each row is divided by its largest */
} Matrix;

typedef struct {
    const float *x; /* [rows, in] */
    uint8_t *whole; /* [rows, width], the same in 8 bits, with 128 for 0; room to work in */
    float *size;    /* [rows], what one is worth there; room to work in */
    long rows;
} Input;

static void quantize(const Matrix *m, const Input *input, long row) {
    const float *x = input->x + row * m->in;
    uint8_t *whole = input->whole + row * m->width;
    float most = m->bounded ? 1 : 1e-8f;
    if (!m->bounded)
#pragma omp simd reduction(max : most)
        for (long i = 0; i < m->in; i++) most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
    float factor = 127 / most, nothing = 0;
#pragma omp simd reduction(+ : nothing)
    for (long i = 0; i < m->in; i++) {
        float now = x[i] * factor + 128.5f;
        now = now < 1 ? 1 : now > 255 ? 255 : now; /* beyond the bounds is at the bounds, not at the other end */
        whole[i] = (uint8_t)(int32_t)now;
        nothing += x[i] * 0; /* or no number at all: then the row is none */
    }
    for (long i = m->in; i < m->width; i++) whole[i] = 128;
    input->size[row] = most / 127 + nothing;
}

#define INLINE static inline __attribute__((always_inline))
#define ROW(r, rows) _Pragma("GCC unroll 5") for (int r = 0; r < rows; r++) /* or sums would not stay in registers */
#define EACH(r, rows, v) ROW(r, rows) _Pragma("GCC unroll 4") for (int v = 0; v < VECTORS; v++)

INLINE void multiply_8(const Matrix *m, const Input *input, long panel, long first, const int rows,
                       __m512 sums[ROWS][VECTORS]) {
    const int8_t *w = (const int8_t *)m->weight + panel * PANEL * m->width;
    const uint8_t *x = input->whole + first * m->width;
    __m512i s[ROWS][VECTORS];
    EACH(r, rows, v) s[r][v] = _mm512_loadu_si512(m->offset + panel * PANEL + v * WIDE);
    for (long k = 0; k < m->width; k += 4, w += 4 * PANEL) {
        __m512i w0 = _mm512_load_si512(w), w1 = _mm512_load_si512(w + 64);
        __m512i w2 = _mm512_load_si512(w + 128), w3 = _mm512_load_si512(w + 192);
        ROW(r, rows) {
            int32_t four;
            memcpy(&four, x + r * m->width + k, 4);
            __m512i same = _mm512_set1_epi32(four);
            s[r][0] = _mm512_dpbusd_epi32(s[r][0], same, w0);
            s[r][1] = _mm512_dpbusd_epi32(s[r][1], same, w1);
            s[r][2] = _mm512_dpbusd_epi32(s[r][2], same, w2);
            s[r][3] = _mm512_dpbusd_epi32(s[r][3], same, w3);
        }
    }
    EACH(r, rows, v) sums[r][v] = _mm512_castsi512_ps(s[r][v]); /* whole numbers still */
}

INLINE void multiply_32(const Matrix *m, const Input *input, long panel, long first, const int rows,
                        __m512 sums[ROWS][VECTORS]) {
    const float *w = (const float *)m->weight + panel * PANEL * m->width, *x = input->x + first * m->in;
    __m512 s[ROWS][VECTORS];
    EACH(r, rows, v) s[r][v] = _mm512_setzero_ps();
    for (long k = 0; k < m->in; k++, w += PANEL) {
        __m512 w0 = _mm512_load_ps(w), w1 = _mm512_load_ps(w + 16), w2 = _mm512_load_ps(w + 32), w3 = _mm512_load_ps(w + 48);
        ROW(r, rows) {
            __m512 same = _mm512_set1_ps(x[r * m->in + k]);
            s[r][0] = _mm512_fmadd_ps(same, w0, s[r][0]);
            s[r][1] = _mm512_fmadd_ps(same, w1, s[r][1]);
            s[r][2] = _mm512_fmadd_ps(same, w2, s[r][2]);
            s[r][3] = _mm512_fmadd_ps(same, w3, s[r][3]);
        }
    }
    EACH(r, rows, v) sums[r][v] = s[r][v];
}

#define KNOWN(multiply, rows) /* with a number of rows that the compiler knows */ \
    switch (rows) { \
    case 1: multiply(m, input, panel, first, 1, sums); break; \
    case 2: multiply(m, input, panel, first, 2, sums); break; \
    case 3: multiply(m, input, panel, first, 3, sums); break; \
    case 4: multiply(m, input, panel, first, 4, sums); break; \
    default: multiply(m, input, panel, first, ROWS, sums); \
    }

/* Up to five rows from `first` on, times one panel. Gives how many. */
static long multiply(const Matrix *m, const Input *input, long panel, long first, __m512 sums[ROWS][VECTORS]) {
    long rows = input->rows - first < ROWS ? input->rows - first : ROWS;
    if (m->scale) KNOWN(multiply_8, rows) else KNOWN(multiply_32, rows)
    for (int r = 0; m->scale && r < rows; r++)
        for (int v = 0; v < VECTORS; v++) {
            __m512 scale = _mm512_loadu_ps(m->scale + panel * PANEL + v * WIDE);
            __m512 worth = _mm512_mul_ps(scale, _mm512_set1_ps(input->size[first + r]));
            sums[r][v] = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_castps_si512(sums[r][v])), worth);
        }
    return rows;
}

/* y [rows, out] = base + x [rows, in] times the matrix. base: NULL, or row r at base + r * stride (0: a bias for all). */
void product(const Matrix *m, const Input *input, const float *base, long stride, float *y, int threads) {
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
        if (m->scale)
#pragma omp for
            for (long r = 0; r < input->rows; r++) quantize(m, input, r);
#pragma omp for
        for (long panel = 0; panel < (m->out + PANEL - 1) / PANEL; panel++)
            for (long first = 0, rows; first < input->rows; first += rows) {
                __m512 sums[ROWS][VECTORS];
                rows = multiply(m, input, panel, first, sums);
                for (long r = first; r < first + rows; r++)
                    for (int v = 0; v < VECTORS; v++) {
                        long at = panel * PANEL + v * WIDE, left = m->out - at;
                        if (left <= 0) break;
                        __mmask16 there = left >= WIDE ? 0xffff : (1 << left) - 1;
                        __m512 now = sums[r - first][v];
                        if (base) now = _mm512_add_ps(now, _mm512_maskz_loadu_ps(there, base + r * stride + at));
                        _mm512_mask_storeu_ps(y + r * m->out + at, there, now);
                    }
            }
    }
}

/* One step of an lstm: h, c [rows, H] from x [rows, in] (the old h, and what comes in) and the old c.
 * Each panel of the matrix has the gates of 16 units: input, forget, output, new. base: as above, [4 * H], one gate
 * after the other. */
void lstm(const Matrix *m, const Input *input, const float *base, long stride, const float *old, float *h, float *c,
          int threads) {
    long hidden = m->out / VECTORS;
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
        if (m->scale)
#pragma omp for
            for (long r = 0; r < input->rows; r++) quantize(m, input, r);
#pragma omp for
        for (long panel = 0; panel < hidden / WIDE; panel++)
            for (long first = 0, rows; first < input->rows; first += rows) {
                __m512 sums[ROWS][VECTORS];
                rows = multiply(m, input, panel, first, sums);
                for (long r = first; r < first + rows; r++) {
                    float gates[VECTORS][WIDE];
                    for (int v = 0; v < VECTORS; v++) {
                        __m512 given = _mm512_loadu_ps(base + r * stride + v * hidden + panel * WIDE);
                        _mm512_storeu_ps(gates[v], _mm512_add_ps(sums[r - first][v], given));
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
